import type { types } from "@pulumi/kubernetes";
import { metadata, selectorLabels } from "./labels.ts";
import type { Release } from "./release.ts";

/** Name of the Service in front of the new pods alone, while there are old ones. */
export function newPodsName({ name, strategy }: Pick<Release, "name" | "strategy">): string {
  return `${name}-${strategy.kind === "canary" ? "canary" : "preview"}`;
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
    metadata: metadata(release, newPodsName(release)),
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
