import type { Analysis } from "../config/strategy.ts";
import { labels, metadata, selectorLabels } from "./labels.ts";
import { newPodsName } from "./newPodsService.ts";
import { containerSecurity, env, podIdentity } from "./pod.ts";
import type { Release } from "./release.ts";

/** Name of a workload's analysis, and of the pods that carry it out. */
export function analysisName({ name }: Pick<Release, "name">): string {
  return `${name}-analysis`;
}

function firstPort({ workload }: Release): number {
  return Object.values(workload.ports)[0] as number;
}

function web(release: Release, analysis: Extract<Analysis, { kind: "web" }>) {
  const { path, jsonPath, success } = analysis;
  // Asked by the controller, from its own namespace.
  const host = `${newPodsName(release)}.{{args.namespace}}.svc`;
  return {
    ...(success === undefined ? {} : { successCondition: success }),
    // An answer that is not 2xx is an error, not a measurement: it counts like one that failed.
    consecutiveErrorLimit: analysis.failureLimit,
    provider: {
      web: {
        url: `http://${host}:${firstPort(release)}${path}`,
        timeoutSeconds: 5,
        ...(jsonPath === undefined ? {} : { jsonPath }),
      },
    },
  };
}

function job(release: Release, { command }: Extract<Analysis, { kind: "job" }>) {
  const own = selectorLabels({ name: analysisName(release), stack: release.stack });
  return {
    provider: {
      job: {
        spec: {
          backoffLimit: 0,
          activeDeadlineSeconds: release.rolloutDeadlineSeconds,
          template: {
            metadata: { labels: { ...labels(release), ...own } },
            spec: {
              ...podIdentity(release),
              restartPolicy: "Never",
              containers: [
                {
                  name: "analysis",
                  image: release.image.reference,
                  imagePullPolicy: "IfNotPresent",
                  command: [...command],
                  env: [
                    ...env(release),
                    { name: "PROBE_URL", value: `http://${newPodsName(release)}:${firstPort(release)}` },
                  ],
                  resources: release.resources,
                  terminationMessagePolicy: "FallbackToLogsOnError",
                  securityContext: containerSecurity(release),
                },
              ],
            },
          },
        },
      },
    },
  };
}

/** What a workload's new pods must pass before they take the place of the old ones. */
export function analysisTemplate(release: Release) {
  const { strategy } = release;
  if (strategy.kind === "rolling" || strategy.analysis === undefined) return undefined;
  const { analysis } = strategy;
  const { intervalSeconds, count, failureLimit } = analysis;
  return {
    apiVersion: "argoproj.io/v1alpha1",
    kind: "AnalysisTemplate",
    metadata: metadata(release, analysisName(release)),
    spec: {
      args: [{ name: "namespace" }],
      metrics: [
        {
          name: analysis.kind,
          interval: `${intervalSeconds}s`,
          count,
          failureLimit,
          ...(analysis.kind === "web" ? web(release, analysis) : job(release, analysis)),
        },
      ],
    },
  } as const;
}
