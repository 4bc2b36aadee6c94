import type { V1Pod } from "@kubernetes/client-node";
import type { Cluster } from "./cluster.ts";

/** How much of it fits on one screen. */
const shownPods = 2;
const shownEvents = 4;
const shownLogLines = 10;

function isReady(pod: V1Pod): boolean {
  return pod.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
}

function newestFirst(one: V1Pod, other: V1Pod): number {
  return Number(other.metadata?.creationTimestamp ?? 0) - Number(one.metadata?.creationTimestamp ?? 0);
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

/** What a kubelet answers, in the place of a log, about a container that it has just removed. */
const removedLog = /^unable to retrieve container logs/;

async function podLog(cluster: Cluster, namespace: string, pod: V1Pod): Promise<string[]> {
  const name = pod.metadata?.name ?? "";
  const [container] = pod.status?.containerStatuses ?? [];
  const restarted = (container?.restartCount ?? 0) > 0;
  for (const previous of restarted ? [true, false] : [false]) {
    try {
      const log = await cluster.core.readNamespacedPodLog({
        name,
        namespace,
        tailLines: shownLogLines,
        previous,
      });
      if (log !== "" && !removedLog.test(log)) return log.trimEnd().split("\n");
    } catch {
      // A container that never started has no log.
    }
  }
  // Its last lines, by its terminationMessagePolicy.
  const { message = "" } = container?.state?.terminated ?? container?.lastState?.terminated ?? {};
  return message === "" ? [] : message.trimEnd().split("\n").slice(-shownLogLines);
}

/** Which pods of a workload are not ready, and why: container states, warnings, last log lines. */
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
  const warnings = (isAbout: (object: { readonly kind?: string; readonly name?: string }) => boolean) =>
    [
      ...new Set(
        events
          .filter(({ involvedObject }) => isAbout(involvedObject))
          .map(({ reason, message }) => `${reason}: ${message}`),
      ),
    ].slice(-shownEvents);
  const lines: string[] = [];
  const unready = pods.filter((pod) => !isReady(pod)).sort(newestFirst);
  for (const pod of unready.slice(0, shownPods)) {
    const podName = pod.metadata?.name ?? "";
    lines.push(`Pod ${podName}: ${pod.status?.phase ?? "Unknown"}`);
    const reasons = [...containerReasons(pod), ...warnings((object) => object.name === podName)];
    lines.push(...reasons.map((line) => `  ${line}`));
    lines.push(...(await podLog(cluster, namespace, pod)).map((line) => `  log: ${line}`));
  }
  // Pods that were never made, by a quota or by an admission policy.
  if (lines.length === 0)
    lines.push(
      ...warnings((object) => object.kind === "ReplicaSet" && (object.name ?? "").startsWith(`${name}-`)),
    );
  return lines.join("\n");
}
