import type { ProgressiveStrategy } from "../config/strategy.ts";
import { analysisName } from "./analysisTemplate.ts";
import { metadata } from "./labels.ts";
import { newPodsName, revisionLabel } from "./newPodsService.ts";
import { podTemplate, revisions } from "./podTemplate.ts";
import type { Release } from "./release.ts";

/** API of Argo Rollouts. */
export const rolloutsApiVersion = "argoproj.io/v1alpha1";

/** Namespace of its controller, as its official manifests have it. */
export const rolloutsNamespace = "argo-rollouts";

function analysis({ name }: Release) {
  return {
    templates: [{ templateName: analysisName({ name }) }],
    args: [{ name: "namespace", valueFrom: { fieldRef: { fieldPath: "metadata.namespace" } } }],
  };
}

function canary(release: Release, { steps }: Extract<ProgressiveStrategy, { kind: "canary" }>) {
  return {
    maxUnavailable: 0,
    maxSurge: 1,
    canaryService: newPodsName(release),
    steps: steps.map((step) => {
      if ("weight" in step) return { setWeight: step.weight };
      if ("analysis" in step) return { analysis: analysis(release) };
      return { pause: step.pause === "promotion" ? {} : { duration: `${step.pause}s` } };
    }),
  };
}

function blueGreen(release: Release, chosen: Extract<ProgressiveStrategy, { kind: "blueGreen" }>) {
  return {
    activeService: release.name,
    previewService: newPodsName(release),
    autoPromotionEnabled: chosen.autoPromote,
    scaleDownDelaySeconds: chosen.keepOldSeconds,
    ...(chosen.analysis === undefined ? {} : { prePromotionAnalysis: analysis(release) }),
  };
}

/** The workload's pods where Argo Rollouts replaces them: the same pods as a Deployment's. */
export function rollout(release: Release) {
  const { strategy } = release;
  if (strategy.kind === "rolling") return undefined;
  return {
    apiVersion: rolloutsApiVersion,
    kind: "Rollout",
    metadata: metadata(release),
    spec: {
      ...revisions(release),
      strategy:
        strategy.kind === "canary"
          ? { canary: canary(release, strategy) }
          : { blueGreen: blueGreen(release, strategy) },
      template: podTemplate(release, revisionLabel),
    },
  } as const;
}
