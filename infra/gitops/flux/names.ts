import { createHash } from "node:crypto";

/** Namespace of Flux, as its official manifests have it. */
export const fluxNamespace = "flux-system";

export const sourceApiVersion = "source.toolkit.fluxcd.io/v1";
export const kustomizeApiVersion = "kustomize.toolkit.fluxcd.io/v1";

/** A stack's objects in Flux's namespace are called like the stack's own, of which a cluster has one. */
export function fluxName(namespace: string): string {
  return namespace;
}

/** The Kustomization of a stack's migrations and of what they need. A namespace's name has at most 63 characters, as this. */
export function migrationsName(namespace: string): string {
  const name = `${namespace}-migrations`;
  // It becomes the value of a label.
  return name.length <= 63
    ? name
    : `${createHash("sha256").update(namespace).digest("hex").slice(0, 20)}-migrations`;
}

/** Asks a controller of Flux to look now; it answers by `status.lastHandledReconcileAt`. */
export const requestedAt = "reconcile.fluxcd.io/requestedAt";
