import type { types } from "@pulumi/kubernetes";
import { metadata, selectorLabels } from "./labels.ts";
import type { Release } from "./release.ts";

/** Name of the Service in front of the new pods alone, while there are old ones. */
export function newPodsName({ name, strategy }: Pick<Release, "name" | "strategy">): string {
  return `${name}-${strategy.kind === "canary" ? "canary" : "preview"}`;
}

/** Tells that Argo Rollouts adds the revision to a Service's selector, and who applies the Service keeps it. */
export const selectorAnnotation = "slipway.dev/selector-revision";

/** Label that Argo Rollouts tells the revisions of a workload's pods by. */
export const revisionLabel = "rollouts-pod-template-hash";

/**
 * Metadata of a Service to whose selector Argo Rollouts adds the revision. No release changes it: when the revision is gone from
 * the selector of the active Service, Argo Rollouts takes the next release for the first one, which nothing precedes.
 */
export function revisionedMetadata(release: Release, name: string = release.name) {
  const { labels, ...rest } = metadata(release, name);
  const { "app.kubernetes.io/version": _, ...lasting } = labels;
  return { ...rest, labels: lasting, annotations: { [selectorAnnotation]: "argo-rollouts" } };
}

/**
 * The Service in front of a workload's new pods, where Argo Rollouts replaces them: it adds the revision to the selector.
 * Inside the cluster only.
 */
export function newPodsService(release: Release) {
  if (release.strategy.kind === "rolling") return undefined;
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: revisionedMetadata(release, newPodsName(release)),
    spec: {
      type: "ClusterIP",
      selector: selectorLabels(release),
      ports: Object.entries(release.workload.ports).map(([name, port]) => ({
        name,
        port,
        targetPort: name,
        protocol: "TCP",
      })),
    },
  } satisfies types.input.core.v1.Service;
}
