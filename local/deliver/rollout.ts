import { setTimeout as sleep } from "node:timers/promises";
import type { V1Deployment, V1Pod, V1StatefulSet } from "@kubernetes/client-node";
import { Fault } from "../fault.ts";
import type { Cluster, KubeObject } from "./cluster.ts";

/** Milliseconds between two looks at a rollout. */
const interval = 250;

type Progress = { readonly done: boolean; readonly failed: boolean; readonly summary: string };

/** What `kubectl rollout status` looks at. */
function progressOf({ metadata, spec, status }: V1Deployment): Progress {
  const wanted = spec?.replicas ?? 1;
  const {
    observedGeneration = 0,
    replicas = 0,
    updatedReplicas = 0,
    availableReplicas = 0,
    conditions = [],
  } = status ?? {};
  const observed = observedGeneration >= (metadata?.generation ?? 0);
  const progressing = conditions.find(({ type }) => type === "Progressing");
  return {
    done:
      observed && updatedReplicas >= wanted && replicas === updatedReplicas && availableReplicas >= wanted,
    failed: observed && progressing?.reason === "ProgressDeadlineExceeded",
    summary: `${Math.min(updatedReplicas, availableReplicas)} of ${wanted} pods ready`,
  };
}

/** Seconds in which a server with a volume must become ready; Kubernetes has no deadline of its own for it. */
const serverDeadlineSeconds = 120;

/** The same for a StatefulSet. @param waited seconds so far */
function serverProgressOf({ metadata, spec, status }: V1StatefulSet, waited: number): Progress {
  const wanted = spec?.replicas ?? 1;
  const {
    observedGeneration = 0,
    readyReplicas = 0,
    updatedReplicas = 0,
    currentRevision,
    updateRevision,
  } = status ?? {};
  const observed = observedGeneration >= (metadata?.generation ?? 0);
  return {
    done:
      observed &&
      readyReplicas >= wanted &&
      (updatedReplicas >= wanted || currentRevision === updateRevision),
    failed: waited > serverDeadlineSeconds,
    summary: `${readyReplicas} of ${wanted} pods ready`,
  };
}

function isReady(pod: V1Pod): boolean {
  return pod.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
}

/** Why a container does not run, in Kubernetes' words. */
function containerReasons(pod: V1Pod): string[] {
  const { initContainerStatuses = [], containerStatuses = [] } = pod.status ?? {};
  return [...initContainerStatuses, ...containerStatuses].flatMap(({ state, lastState, restartCount }) => {
    const ended = state?.terminated ?? lastState?.terminated;
    return [
      ...(state?.waiting === undefined ? [] : [`${state.waiting.reason}: ${state.waiting.message ?? ""}`]),
      ...(ended === undefined
        ? []
        : [`ended with exit code ${ended.exitCode} (${ended.reason}), ${restartCount} restarts`]),
    ];
  });
}

async function podLog(cluster: Cluster, namespace: string, pod: V1Pod): Promise<string[]> {
  const name = pod.metadata?.name ?? "";
  const restarted = (pod.status?.containerStatuses?.[0]?.restartCount ?? 0) > 0;
  for (const previous of restarted ? [true, false] : [false]) {
    try {
      const log = await cluster.core.readNamespacedPodLog({ name, namespace, tailLines: 10, previous });
      if (log !== "") return log.trimEnd().split("\n");
    } catch {
      // A container that never started has no log.
    }
  }
  return [];
}

/** Which pods of a Deployment are not ready, and why: container states, warnings, last log lines. */
export async function explainRollout(
  cluster: Cluster,
  namespace: string,
  name: string,
  selector: { readonly [key: string]: string },
): Promise<string> {
  const labelSelector = Object.entries(selector)
    .map(([key, value]) => `${key}=${value}`)
    .join(",");
  const { items: pods } = await cluster.core.listNamespacedPod({ namespace, labelSelector });
  const { items: events } = await cluster.core.listNamespacedEvent({
    namespace,
    fieldSelector: "type=Warning",
  });
  const warnings = (about: string) =>
    [
      ...new Set(
        events
          .filter(({ involvedObject }) => involvedObject.name === about)
          .map(({ reason, message }) => `${reason}: ${message}`),
      ),
    ].slice(-4);
  const lines: string[] = [];
  for (const pod of pods.filter((candidate) => !isReady(candidate)).slice(0, 2)) {
    const podName = pod.metadata?.name ?? "";
    lines.push(`Pod ${podName}: ${pod.status?.phase ?? "Unknown"}`);
    lines.push(...[...containerReasons(pod), ...warnings(podName)].map((line) => `  ${line}`));
    lines.push(...(await podLog(cluster, namespace, pod)).map((line) => `  log: ${line}`));
  }
  if (lines.length === 0) {
    const replicaSets = events.filter(
      ({ involvedObject }) =>
        involvedObject.kind === "ReplicaSet" && involvedObject.name?.startsWith(`${name}-`),
    );
    lines.push(...new Set(replicaSets.map(({ reason, message }) => `${reason}: ${message}`)));
  }
  return lines.join("\n");
}

/**
 * Waits until the new pods of a Deployment or a StatefulSet have replaced the old ones.
 *
 * @throws Fault when they make no progress within their deadline; a Deployment's old pods keep serving
 */
export async function waitForRollout(
  cluster: Cluster,
  applied: KubeObject,
  onProgress: (summary: string) => void,
): Promise<KubeObject> {
  const begin = performance.now();
  for (;;) {
    const live = await cluster.read(applied);
    if (live === undefined)
      throw new Fault({
        what: `${applied.kind} ${applied.metadata.name}`,
        rule: "was deleted while it was rolled out",
      });
    const deployment = live as unknown as V1Deployment;
    const isServer = applied.kind === "StatefulSet";
    const { done, failed, summary } = isServer
      ? serverProgressOf(live as unknown as V1StatefulSet, (performance.now() - begin) / 1000)
      : progressOf(deployment);
    if (done) return live;
    onProgress(summary);
    if (failed) {
      const { namespace = "default", name } = live.metadata;
      throw new Fault({
        what: `${applied.kind} ${namespace}/${name}`,
        value: summary,
        rule: isServer
          ? `must be ready within ${serverDeadlineSeconds} s`
          : `must make progress within ${deployment.spec?.progressDeadlineSeconds} s; the pods of the last good release keep serving`,
        log: await explainRollout(cluster, namespace, name, deployment.spec?.selector.matchLabels ?? {}),
      });
    }
    await sleep(interval);
  }
}
