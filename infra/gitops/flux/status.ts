import type { KubeObject } from "../../cluster/cluster.ts";
import type { ResourceStatus } from "../argocd/status.ts";

export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration?: number;
}

/** The status of a GitRepository or Kustomization, as far as a delivery looks at it. */
export interface FluxStatus {
  readonly observedGeneration?: number;
  readonly conditions?: readonly Condition[];
  readonly lastHandledReconcileAt?: string;
  /** `main@sha1:…`, of a Kustomization. */
  readonly lastAppliedRevision?: string;
  readonly lastAttemptedRevision?: string;
  /** The objects that a Kustomization has applied: `<namespace>_<name>_<group>_<kind>`, and their version. */
  readonly inventory?: { readonly entries?: readonly { readonly id: string; readonly v: string }[] };
  readonly history?: readonly unknown[];
}

export function fluxStatusOf(object: KubeObject | undefined): FluxStatus {
  return (object as { readonly status?: FluxStatus } | undefined)?.status ?? {};
}

/** The condition that sums an object of Flux up. */
export function readyOf({ conditions = [] }: FluxStatus): Condition | undefined {
  return conditions.find(({ type }) => type === "Ready");
}

/** The commit of a revision: Flux puts the branch before it. */
export function commitIn(revision: string | undefined): string | undefined {
  return /@sha1:([0-9a-f]{40})$/.exec(revision ?? "")?.[1];
}

/** The objects that a Kustomization has applied. */
export function appliedBy({ inventory }: FluxStatus): ResourceStatus[] {
  return (inventory?.entries ?? []).map(({ id, v }) => {
    const [namespace = "", name = "", group = "", kind = ""] = id.split("_");
    return { namespace, name, group, kind, version: v };
  });
}

/** `Kustomization: reconciling, 1a2b3c4d5e` */
export function summaryOfFlux(status: FluxStatus): string {
  const ready = readyOf(status);
  const commit = commitIn(status.lastAppliedRevision)?.slice(0, 10) ?? "nothing yet";
  return `${ready?.reason ?? "not looked at yet"}, at ${commit}`;
}
