import * as pulumi from "@pulumi/pulumi";
import { runInOwnProcess } from "./ownProcess.ts";

/** Pulumi's type of the resource, by which direct delivery knows it. */
export const takeOverType = "pulumi-nodejs:dynamic/slipway:TakeOver";

export interface TakeOverInputs {
  /** Content of a kubeconfig. */
  readonly kubeconfig: string;
  /** Namespace of the workloads. */
  readonly namespace: string;
}

const provider: pulumi.dynamic.ResourceProvider<TakeOverInputs, { namespace: string }> = {
  async create(inputs) {
    await runInOwnProcess("takeOver", inputs);
    return { id: inputs.namespace, outs: { namespace: inputs.namespace } };
  },
  async diff(_id, olds, news) {
    return { changes: olds.namespace !== news.namespace, replaces: ["namespace"] };
  },
  async delete() {},
};

export type TakeOverArgs = { readonly [key in keyof TakeOverInputs]: pulumi.Input<TakeOverInputs[key]> };

/** Ends Argo CD's ownership of a stack's workloads before Pulumi applies them, where there is one; they keep running. */
export class TakeOver extends pulumi.dynamic.Resource {
  constructor(name: string, { kubeconfig, namespace }: TakeOverArgs, opts?: pulumi.CustomResourceOptions) {
    super(provider, name, { namespace, kubeconfig: pulumi.secret(kubeconfig) }, opts, "slipway", "TakeOver");
  }
}
