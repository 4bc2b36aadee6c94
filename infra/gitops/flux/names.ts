/** Namespace of Flux, as its official manifests have it. */
export const fluxNamespace = "flux-system";

export const sourceApiVersion = "source.toolkit.fluxcd.io/v1";
export const kustomizeApiVersion = "kustomize.toolkit.fluxcd.io/v1";

/** A stack's objects in Flux's namespace are called like the stack's own, of which a cluster has one. */
export function fluxName(namespace: string): string {
  return namespace;
}

/** Asks a controller of Flux to look now; it answers by `status.lastHandledReconcileAt`. */
export const requestedAt = "reconcile.fluxcd.io/requestedAt";
