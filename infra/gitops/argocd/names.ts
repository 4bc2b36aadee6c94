/** Namespace of Argo CD, as its official manifests have it. */
export const argocdNamespace = "argocd";

/** A stack's Application and AppProject are both called like its namespace, of which a cluster has one. */
export function applicationName(namespace: string): string {
  return namespace;
}

/** The ApplicationSet that makes the Applications of a repository's stacks, where they don't make their own. */
export const applicationSetName = "slipway";

/** File in a stack's folder that says whose it is; no object. An ApplicationSet's `*` matches in folders of folders too. */
export const stackFile = "stack.yaml";

export const argoApiVersion = "argoproj.io/v1alpha1";

/** By this annotation Argo CD knows the objects that it owns. */
export const trackingAnnotation = "argocd.argoproj.io/tracking-id";

/** Who sets the fields that Argo CD applies, in managedFields. */
export const argocdFieldManager = "argocd-controller";
