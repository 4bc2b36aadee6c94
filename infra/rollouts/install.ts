import * as pulumi from "@pulumi/pulumi";
import type { RolloutsInstall } from "../config/strategy.ts";
import { installController } from "../gitops/controller.ts";
import type { Manifest } from "../gitops/manifests.ts";
import { ownerLabel } from "../workloads/labels.ts";
import { rolloutsNamespace } from "../workloads/rollout.ts";
import { customizeRollouts } from "./manifests.ts";

export interface ArgoRolloutsArgs {
  readonly install: RolloutsInstall;
  /** The release's own manifests. */
  readonly manifests: readonly Manifest[];
  /** Labels of the stack that installs it. */
  readonly labels: { readonly [key: string]: string };
  readonly project: string;
  readonly stack: string;
}

/** Argo Rollouts in its own namespace, from a release's official manifests. */
export class ArgoRollouts extends pulumi.ComponentResource {
  /** All of it: what needs Argo Rollouts waits for these. */
  readonly objects: readonly pulumi.Resource[];

  constructor(name: string, args: ArgoRolloutsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("slipway:rollouts:ArgoRollouts", name, {}, opts);
    const { install, manifests, labels, project, stack } = args;
    const owner = ownerLabel({ project, stack });
    const objects = customizeRollouts(manifests, install, owner);
    const namespace = { name: rolloutsNamespace, labels: { ...labels, ...owner } };
    this.objects = installController(name, namespace, objects, this);
    this.registerOutputs({});
  }
}
