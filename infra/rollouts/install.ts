import * as pulumi from "@pulumi/pulumi";
import type { RolloutsInstall } from "../config/strategy.ts";
import type { Manifest } from "../gitops/manifests.ts";
import { KubernetesObject } from "../gitops/resource.ts";
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
    const namespace = new KubernetesObject(
      `${name}-namespace`,
      {
        apiVersion: "v1",
        kind: "Namespace",
        metadata: {
          name: rolloutsNamespace,
          labels: { ...labels, "pod-security.kubernetes.io/enforce": "restricted" },
        },
      },
      { parent: this },
    );
    const objects = customizeRollouts(manifests, install, ownerLabel({ project, stack })).map(
      (object) =>
        new KubernetesObject(`${name}-${object.kind}-${object.metadata.name}`.toLowerCase(), object, {
          parent: this,
          dependsOn: [namespace],
        }),
    );
    this.objects = [namespace, ...objects];
    this.registerOutputs({});
  }
}
