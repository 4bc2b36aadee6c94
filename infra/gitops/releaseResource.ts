import * as pulumi from "@pulumi/pulumi";
import { runInOwnProcess } from "./ownProcess.ts";
import type { Released, ReleaseInputs } from "./release.ts";

/** Pulumi's type of the resource, by which direct delivery knows it. */
export const releaseType = "pulumi-nodejs:dynamic/slipway:Release";

type State = Released &
  Pick<ReleaseInputs, "files" | "branch" | "folder" | "prOnly" | "namespace"> & { url: string };

function stateOf(inputs: ReleaseInputs, released: Released): State {
  const { files, folder, prOnly, namespace, remote } = inputs;
  return { files, folder, prOnly, namespace, url: remote.url, ...released };
}

const provider: pulumi.dynamic.ResourceProvider<ReleaseInputs, State> = {
  async create(inputs) {
    return {
      id: inputs.namespace,
      outs: stateOf(inputs, await runInOwnProcess<Released>("release", inputs)),
    };
  },
  // A new key, author or message is no change of what is delivered.
  async diff(_id, olds, news) {
    const before = JSON.stringify([olds.url, olds.folder, olds.namespace, olds.prOnly, olds.files]);
    const { remote, folder, namespace, prOnly, files } = news;
    return { changes: before !== JSON.stringify([remote.url, folder, namespace, prOnly, files]) };
  },
  async update(_id, _olds, news) {
    return { outs: stateOf(news, await runInOwnProcess<Released>("release", news)) };
  },
  // What is in Git stays: it is the record of what ran.
  async delete() {},
};

export type ReleaseArgs = { readonly [key in keyof ReleaseInputs]: pulumi.Input<ReleaseInputs[key]> };

/** One delivery of a stack by GitOps: committed, and, where it waits, running when the resource is there. */
export class Release extends pulumi.dynamic.Resource {
  /** The commit that has the stack's files. */
  declare readonly commit: pulumi.Output<string>;
  /** Where it is: the branch that is synced, or one that waits for a review. */
  declare readonly branch: pulumi.Output<string>;
  /** Whether it waits there. */
  declare readonly proposed: pulumi.Output<boolean>;

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
