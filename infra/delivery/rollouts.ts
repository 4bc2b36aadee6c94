import * as pulumi from "@pulumi/pulumi";
import type { AppliedWorkload, ReleaseGoal, Revisions, RolledOut } from "../cluster/release.ts";
import { runInOwnProcess } from "../gitops/ownProcess.ts";

/** Pulumi's type of the resource, by which direct delivery knows it. */
export const rolloutsType = "pulumi-nodejs:dynamic/slipway:Rollouts";

export interface RolloutsInputs extends Omit<ReleaseGoal, "before"> {
  /** Content of a kubeconfig. */
  readonly kubeconfig: string;
}

interface State {
  readonly workloads: readonly AppliedWorkload[];
  /** What runs since the last release that was good. */
  readonly running: Revisions;
}

async function rollOut(inputs: RolloutsInputs, before: Revisions): Promise<State> {
  const { kubeconfig, workloads, atomic } = inputs;
  const { running } = await runInOwnProcess<RolledOut>("rollOut", { kubeconfig, workloads, atomic, before });
  return { workloads, running };
}

const provider: pulumi.dynamic.ResourceProvider<RolloutsInputs, State> = {
  async create(inputs) {
    return { id: "rollouts", outs: await rollOut(inputs, {}) };
  },
  // A definition that was applied has another generation.
  async diff(_id, olds, news) {
    return { changes: JSON.stringify(olds.workloads) !== JSON.stringify(news.workloads) };
  },
  async update(_id, olds, news) {
    return { outs: await rollOut(news, olds.running) };
  },
  async delete() {},
};

export type RolloutsArgs = { readonly [key in keyof RolloutsInputs]: pulumi.Input<RolloutsInputs[key]> };

/**
 * The rollouts of a release: there when every workload runs what was applied. Pulumi's own await of a Deployment does
 * not know its deadline and shows no logs, and knows nothing of the other workloads.
 */
export class Rollouts extends pulumi.dynamic.Resource {
  constructor(
    name: string,
    { kubeconfig, workloads, atomic }: RolloutsArgs,
    opts?: pulumi.CustomResourceOptions,
  ) {
    const inputs = { workloads, atomic, kubeconfig: pulumi.secret(kubeconfig), running: undefined };
    super(provider, name, inputs, opts, "slipway", "Rollouts");
  }
}
