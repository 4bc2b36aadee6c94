import { setTimeout as sleep } from "node:timers/promises";
import type { V1Job, V1JobCondition, V1Pod } from "@kubernetes/client-node";
import { Fault } from "../fault.ts";
import { type Cluster, type KubeObject, nameOf } from "./cluster.ts";

/** Milliseconds between two looks at a Job. */
const interval = 250;

/** The first of these conditions that a Job is in. */
function condition({ status }: V1Job, ...types: readonly string[]): V1JobCondition | undefined {
  return status?.conditions?.find((one) => types.includes(one.type) && one.status === "True");
}

/**
 * Why a Job has failed. It is sure to from FailureTarget on; Failed comes when the last pod has ended, which on a node
 * that is down is never.
 */
function failureOf(job: V1Job): V1JobCondition | undefined {
  return condition(job, "FailureTarget", "Failed");
}

/** What a GitOps controller tells of an object that it has applied. */
interface Applied {
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
}

/** The Jobs among applied objects: a stack's migrations. */
export function jobsAmong(applied: readonly Applied[]): KubeObject[] {
  return applied.flatMap(({ kind, namespace, name }) =>
    kind === "Job" && namespace !== undefined
      ? [{ apiVersion: "batch/v1", kind, metadata: { namespace, name } }]
      : [],
  );
}

/** A Job that failed stays as it is for ever: deleted, the same one may run again. @returns whether it had failed */
export async function deleteFailedJob(cluster: Cluster, job: KubeObject): Promise<boolean> {
  const before = await cluster.read(job);
  if (before === undefined || failureOf(before as unknown as V1Job) === undefined) return false;
  await cluster.delete(job);
  while ((await cluster.read(job)) !== undefined) await sleep(interval);
  return true;
}

/** The last lines of the container that ended the pod, the first to fail if there are more. */
async function lastWords(cluster: Cluster, namespace: string, pod: V1Pod): Promise<string[]> {
  const { initContainerStatuses = [], containerStatuses = [] } = pod.status ?? {};
  const all = [...initContainerStatuses, ...containerStatuses];
  const stuck =
    all.find(({ state }) => (state?.terminated?.exitCode ?? 0) !== 0) ?? all.find(({ ready }) => !ready);
  if (stuck === undefined) return [`Pod ${pod.metadata?.name}: ${pod.status?.message ?? pod.status?.phase}`];
  const { waiting, terminated } = stuck.state ?? {};
  const state =
    terminated === undefined
      ? `${waiting?.reason ?? "running"}: ${waiting?.message ?? ""}`
      : `ended with exit code ${terminated.exitCode} (${terminated.reason})`;
  const name = pod.metadata?.name ?? "";
  const log = await cluster.core
    .readNamespacedPodLog({ name, namespace, container: stuck.name, tailLines: 15 })
    .catch(() => "");
  const lines = log === "" ? [] : log.trimEnd().split("\n");
  return [`Pod ${name}, container ${stuck.name}: ${state}`, ...lines.map((line) => `  log: ${line}`)];
}

async function podsOf(cluster: Cluster, { metadata }: KubeObject): Promise<V1Pod[]> {
  const { namespace = "default", name } = metadata;
  const labelSelector = `batch.kubernetes.io/job-name=${name}`;
  return (await cluster.core.listNamespacedPod({ namespace, labelSelector })).items;
}

/** Why a Job has failed, with the last lines of its log; nothing when it has not. */
export async function explainFailedJob(cluster: Cluster, job: KubeObject): Promise<string | undefined> {
  const live = await cluster.read(job);
  const failure = live === undefined ? undefined : failureOf(live as unknown as V1Job);
  if (failure === undefined) return undefined;
  const { namespace = "default" } = job.metadata;
  const pods = await podsOf(cluster, job);
  const lines = await Promise.all(pods.map((pod) => lastWords(cluster, namespace, pod)));
  return [`${nameOf(job)}: ${failure.message ?? "failed"}`, ...lines.flat()].join("\n");
}

/**
 * Waits until a Job has done its work.
 *
 * @throws Fault with the last lines of its log when it fails, or does not end within its activeDeadlineSeconds
 */
export async function waitForJob(
  cluster: Cluster,
  applied: KubeObject,
  onProgress: (summary: string) => void,
): Promise<KubeObject> {
  const { namespace = "default" } = applied.metadata;
  let seen: V1Pod[] = [];
  for (;;) {
    const live = await cluster.read(applied);
    if (live === undefined) throw new Fault({ what: nameOf(applied), rule: "was deleted while it ran" });
    const job = live as unknown as V1Job;
    if (condition(job, "Complete")) return live;
    const pods = await podsOf(cluster, applied);
    // A Job that runs into its deadline deletes its pods: what was last seen of them is what can be told.
    if (pods.length > 0) seen = pods;
    const failure = failureOf(job);
    if (failure !== undefined) {
      const lines = await Promise.all(seen.map((pod) => lastWords(cluster, namespace, pod)));
      throw new Fault({
        what: nameOf(applied),
        value: failure.message ?? "failed",
        rule: "must succeed before the new pods start; the pods of the last good release keep serving",
        log: lines.flat().join("\n"),
        fix: "correct it, and run the same command again",
      });
    }
    onProgress(`${seen.at(-1)?.status?.phase ?? "waiting"}`);
    await sleep(interval);
  }
}
