import type { types } from "@pulumi/kubernetes";
import { metadata, selectorLabels } from "./labels.ts";
import type { Release } from "./release.ts";

/** Lets a drain evict one pod at a time. A pod that is not ready never blocks a drain. */
export function podDisruptionBudget(release: Release) {
  if (release.workload.exemptions?.noDisruptionBudget) return undefined;
  return {
    apiVersion: "policy/v1",
    kind: "PodDisruptionBudget",
    metadata: metadata(release),
    spec: {
      maxUnavailable: 1,
      unhealthyPodEvictionPolicy: "AlwaysAllow",
      selector: { matchLabels: selectorLabels(release) },
    },
  } satisfies types.input.policy.v1.PodDisruptionBudget;
}
