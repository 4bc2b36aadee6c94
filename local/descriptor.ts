import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { Fault } from "../infra/fault.ts";

/** Where the environment keeps everything unless told otherwise. */
export const DEFAULT_STATE_DIR = "/var/lib/slipway";

/** What a program needs to know to deliver to the embedded environment. Written last by a start that succeeded. */
export const descriptorSchema = z.strictObject({
  /** Path of a kubeconfig with cluster-admin rights, for this environment alone. */
  kubeconfig: z.string().min(1),
  /** Its only context. */
  context: z.string().min(1),
  docker: z.strictObject({
    /** `DOCKER_HOST` of the environment's own daemon. */
    host: z.string().startsWith("unix://"),
    /** Value for `docker build --network`: the machine's network, with its resolver and its routes. */
    network: z.string().min(1),
  }),
  registry: z.strictObject({
    /** `host:port`, plain HTTP, the same name from the machine and from the kubelet. */
    server: z.string().regex(/^[^/:]+:\d+$/),
    username: z.string().min(1),
    password: z.string().min(1),
  }),
  /** Image with Node, npm and a shell, present in the environment's Docker daemon: the base for builds. */
  baseImage: z.string().min(1),
  /** Image of PostgreSQL in the registry, by digest: the default of databases in the cluster. */
  postgresImage: z.string().min(1),
  /** Where NodePorts answer. */
  address: z.string().min(1),
  /** The boot it was written in: after a restart of the machine nothing runs before the next start. */
  boot: z.string().min(1),
});

export type Descriptor = z.infer<typeof descriptorSchema>;

/** Identifier of the machine's current boot. */
export function currentBoot(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
}

/** Path of the descriptor below a state directory. */
export function descriptorPath(stateDir: string = DEFAULT_STATE_DIR): string {
  return join(stateDir, "environment.json");
}

/**
 * Reads the descriptor of a running environment.
 *
 * @throws Fault when there is none (the environment is not up), it cannot be read, or it is not of this version.
 */
export function readDescriptor(stateDir: string = DEFAULT_STATE_DIR): Descriptor {
  const path = descriptorPath(stateDir);
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    throw new Fault({
      what: "the local environment",
      value: `${path}: ${code === "ENOENT" ? "absent" : (code ?? String(error))}`,
      rule: code === "EACCES" ? "is readable by root only" : "must have been started",
      fix: code === "EACCES" ? "run as root (sudo)" : "run `npm start`",
    });
  }
  const descriptor = parseDescriptor(path, text);
  if (descriptor.boot === currentBoot()) return descriptor;
  throw new Fault({
    what: "the local environment",
    value: "the machine was restarted since",
    rule: "must have been started",
    fix: "run `npm start`: it keeps what was delivered",
  });
}

function parseDescriptor(path: string, text: string): Descriptor {
  try {
    return descriptorSchema.parse(JSON.parse(text));
  } catch (error) {
    throw new Fault({
      what: path,
      value: error instanceof z.ZodError ? z.prettifyError(error) : "not JSON",
      rule: "must be a descriptor as this version writes it",
      fix: "run `npm start` again: it writes a new one",
    });
  }
}
