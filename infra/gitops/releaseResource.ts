import * as pulumi from "@pulumi/pulumi";
import type { Released, ReleaseInputs } from "./release.ts";

/** Pulumi's type of the resource, by which direct delivery knows it. */
export const releaseType = "pulumi-nodejs:dynamic/slipway:Release";

/**
 * Releases in a process of its own. Pulumi serializes a dynamic provider's functions into the state and runs them
 * where nothing that this module imports exists: Node.js's own modules are all there is.
 */
async function run(inputs: ReleaseInputs): Promise<Released> {
  const { spawn } = process.getBuiltinModule("node:child_process");
  const { existsSync } = process.getBuiltinModule("node:fs");
  const { dirname, join } = process.getBuiltinModule("node:path");
  let root = process.cwd();
  while (!existsSync(join(root, "infra/gitops/run.ts")) && dirname(root) !== root) root = dirname(root);
  const program = [join(root, "node_modules/.bin/node"), join(root, "infra/gitops/run.ts")] as const;
  const output = await new Promise<string>((resolve, reject) => {
    // Credentials go in by standard input: arguments and variables are seen by others.
    const child = spawn(program[0], [program[1]], { stdio: ["pipe", "pipe", "inherit"] });
    const chunks: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.on("error", reject);
    child.on("close", () => resolve(Buffer.concat(chunks).toString("utf8")));
    child.stdin.end(JSON.stringify(inputs));
  });
  const { released, error } = JSON.parse(output || '{"error":"the delivery ended without a word"}') as {
    released?: Released;
    error?: string;
  };
  if (released === undefined) throw new Error(error);
  return released;
}

type State = Released &
  Pick<ReleaseInputs, "files" | "branch" | "folder" | "prOnly" | "namespace"> & { url: string };

function stateOf(inputs: ReleaseInputs, released: Released): State {
  const { files, folder, prOnly, namespace, remote } = inputs;
  return { files, folder, prOnly, namespace, url: remote.url, ...released };
}

const provider: pulumi.dynamic.ResourceProvider<ReleaseInputs, State> = {
  async create(inputs) {
    return { id: inputs.namespace, outs: stateOf(inputs, await run(inputs)) };
  },
  // A new key, author or message is no change of what is delivered.
  async diff(_id, olds, news) {
    const before = JSON.stringify([olds.url, olds.folder, olds.namespace, olds.prOnly, olds.files]);
    const { remote, folder, namespace, prOnly, files } = news;
    return { changes: before !== JSON.stringify([remote.url, folder, namespace, prOnly, files]) };
  },
  async update(_id, _olds, news) {
    return { outs: stateOf(news, await run(news)) };
  },
  // What is in Git stays: it is the record of what ran.
  async delete() {},
};

export type ReleaseArgs = { readonly [key in keyof ReleaseInputs]: pulumi.Input<ReleaseInputs[key]> };

/** One delivery of a stack by GitOps: committed, and running when the resource is there. */
export class Release extends pulumi.dynamic.Resource {
  /** The commit that has the stack's files. */
  declare readonly commit: pulumi.Output<string>;
  /** Where it is: the branch that is synced, or one that waits for a review. */
  declare readonly branch: pulumi.Output<string>;

  constructor(name: string, args: ReleaseArgs, opts?: pulumi.CustomResourceOptions) {
    const { remote, kubeconfig, signingKey, ...plain } = args;
    super(
      provider,
      name,
      {
        ...plain,
        remote: pulumi.secret(remote),
        kubeconfig: pulumi.secret(kubeconfig),
        ...(signingKey === undefined ? {} : { signingKey: pulumi.secret(signingKey) }),
        commit: undefined,
        proposed: undefined,
      },
      opts,
      "slipway",
      "Release",
    );
  }
}
