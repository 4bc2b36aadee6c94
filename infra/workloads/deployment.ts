import type { types } from "@pulumi/kubernetes";
import { metadata } from "./labels.ts";
import { podTemplate, revisions } from "./podTemplate.ts";
import type { Release } from "./release.ts";

/** The workload's pods: replaced one by one, each only when its successor serves. */
export function deployment(release: Release) {
  if (release.strategy.kind !== "rolling") return undefined;
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: metadata(release),
    spec: {
      ...revisions(release),
      strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
      template: podTemplate(release, "pod-template-hash"),
    },
  } satisfies types.input.apps.v1.Deployment;
}
