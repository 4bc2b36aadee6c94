import type { Release } from "./release.ts";

/** Labels that never change in a workload's life: what Services, policies and budgets select by. */
export function selectorLabels({ name, stack }: Pick<Release, "name" | "stack">) {
  return { "app.kubernetes.io/name": name, "app.kubernetes.io/instance": stack };
}

/** Labels of everything that a stack owns, and of nothing else. */
export function stackLabels({ project, stack }: Pick<Release, "project" | "stack">) {
  return {
    "app.kubernetes.io/instance": stack,
    "app.kubernetes.io/part-of": project,
    "app.kubernetes.io/managed-by": "slipway",
  };
}

export const ownerLabelName = "slipway.dev/owner";

/** Label of what a stack owns of a controller's release, whose recommended labels are the release's own. */
export function ownerLabel({ project, stack }: Pick<Release, "project" | "stack">) {
  return { [ownerLabelName]: `${project}.${stack}`.slice(0, 63).replace(/[^A-Za-z0-9]+$/, "") };
}

/** Annotation of what outlives its stack: direct delivery and destroy leave it alone. */
export const keepOnDestroy = { "slipway.dev/on-destroy": "keep" } as const;

/** The recommended labels of every object and pod; the version is the build number that runs. */
export function labels(release: Release) {
  return {
    ...stackLabels(release),
    ...selectorLabels(release),
    "app.kubernetes.io/version": release.image.version,
  };
}

/** The metadata of a workload's object. */
export function metadata(release: Release, name: string = release.name) {
  return { name, namespace: release.namespace, labels: labels(release) };
}
