import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { Fault } from "../../infra/fault.ts";
import { DEFAULT_STATE_DIR } from "../descriptor.ts";

/** What a program needs to know to deliver through the environment's own Git server. Written last by its start. */
export const gitopsDescriptorSchema = z.strictObject({
  repository: z.strictObject({
    /** Where pods of the cluster reach the manifests repository. */
    url: z.string().startsWith("ssh://"),
    /** Where this machine reaches it. */
    pushUrl: z.string().startsWith("ssh://"),
    /** The server's host key under both addresses, as lines of known_hosts. */
    knownHosts: z.string().min(1),
    /** Private key that may write. */
    pushKey: z.string().min(1),
    /** Private key that may only read. */
    pullKey: z.string().min(1),
  }),
  argocd: z.strictObject({
    /** Paths of the release's manifests, by mode. */
    manifests: z.strictObject({ core: z.string().min(1), full: z.string().min(1) }),
    /** Loaded images that stand for those of the release. */
    images: z.strictObject({ argocd: z.string().min(1), redis: z.string().min(1), dex: z.string().min(1) }),
  }),
});

export type GitopsDescriptor = z.infer<typeof gitopsDescriptorSchema>;

/** Path of the descriptor below a state directory. */
export function gitopsDescriptorPath(stateDir: string = DEFAULT_STATE_DIR): string {
  return join(stateDir, "gitops.json");
}

/**
 * Reads the descriptor of the environment's Git server.
 *
 * @throws Fault when the environment was started without one
 */
export function readGitopsDescriptor(stateDir: string = DEFAULT_STATE_DIR): GitopsDescriptor {
  const path = gitopsDescriptorPath(stateDir);
  try {
    return gitopsDescriptorSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    throw new Fault({
      what: "the environment's Git server",
      value: missing ? "not started" : "described by another version",
      rule: "must run for a stack whose slipway:delivery names no repository",
      fix: "run `npm start -- --delivery gitops`, or name a repository of your own",
    });
  }
}
