import type { types } from "@pulumi/kubernetes";
import { metadata } from "./labels.ts";
import type { Release } from "./release.ts";
import { rolloutsApiVersion } from "./rollout.ts";

/** Owns the number of pods where the stack configures autoscaling, else nothing. */
export function horizontalPodAutoscaler(release: Release) {
  if (release.autoscaling === undefined) return undefined;
  const { minReplicas, maxReplicas, targetCPUUtilization } = release.autoscaling;
  return {
    apiVersion: "autoscaling/v2",
    kind: "HorizontalPodAutoscaler",
    metadata: metadata(release),
    spec: {
      scaleTargetRef:
        release.strategy.kind === "rolling"
          ? { apiVersion: "apps/v1", kind: "Deployment", name: release.name }
          : { apiVersion: rolloutsApiVersion, kind: "Rollout", name: release.name },
      minReplicas,
      maxReplicas,
      metrics: [
        {
          type: "Resource",
          resource: {
            name: "cpu",
            target: { type: "Utilization", averageUtilization: targetCPUUtilization },
          },
        },
      ],
    },
  } satisfies types.input.autoscaling.v2.HorizontalPodAutoscaler;
}
