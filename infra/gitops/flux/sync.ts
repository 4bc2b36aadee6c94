import { setTimeout as sleep } from "node:timers/promises";
import { type Cluster, type KubeObject, nameOf } from "../../cluster/cluster.ts";
import { explainRollout } from "../../cluster/explain.ts";
import { deleteFailedJob, explainFailedJob, jobsAmong } from "../../cluster/job.ts";
import { Fault } from "../../fault.ts";
import { takeFromPush } from "../argocd/handover.ts";
import type { SyncGoal } from "../argocd/sync.ts";
import {
  fluxName,
  fluxNamespace,
  kustomizeApiVersion,
  migrationsName,
  requestedAt,
  sourceApiVersion,
} from "./names.ts";
import { appliedBy, commitIn, type FluxStatus, fluxStatusOf, readyOf, summaryOfFlux } from "./status.ts";

/** Milliseconds between two looks. */
const interval = 200;

/** Seconds that a trouble which may pass by itself is waited for: Flux tries again every five. */
const patienceSeconds = 15;

function objectOf(apiVersion: string, kind: string, name: string): KubeObject {
  return { apiVersion, kind, metadata: { name, namespace: fluxNamespace } };
}

/** The stack's GitRepository, by the namespace of its workloads. */
function sourceOf(namespace: string): KubeObject {
  return objectOf(sourceApiVersion, "GitRepository", fluxName(namespace));
}

/** The stack's Kustomizations that there are, in the order in which they are synced. */
async function syncsOf(cluster: Cluster, namespace: string): Promise<KubeObject[]> {
  const names = [migrationsName(namespace), fluxName(namespace)];
  const all = await Promise.all(
    names.map((name) => cluster.read(objectOf(kustomizeApiVersion, "Kustomization", name))),
  );
  return all.filter((live) => live !== undefined);
}

/** Has Flux look at an object now. */
async function request(cluster: Cluster, { apiVersion, kind, metadata }: KubeObject): Promise<void> {
  const { name, namespace } = metadata;
  const annotations = { [requestedAt]: new Date().toISOString() };
  await cluster.merge({ apiVersion, kind, metadata: { name, namespace, annotations } } as KubeObject);
}

/** Asks Flux to look at the repository now, and at the cluster, where a migration that failed is to run again. */
export async function requestFlux(cluster: Cluster, namespace: string): Promise<void> {
  const syncs = await syncsOf(cluster, namespace);
  const migrations = syncs.flatMap((live) => jobsAmong(appliedBy(fluxStatusOf(live))));
  await Promise.all(migrations.map((job) => deleteFailedJob(cluster, job)));
  for (const object of [sourceOf(namespace), ...syncs]) await request(cluster, object);
}

/** Says which migration has failed, or which Deployment has given up on its new pods, and why; nothing when none has. */
async function culprits(cluster: Cluster, namespace: string, status: FluxStatus): Promise<string[]> {
  const applied = appliedBy(status);
  const deployments = applied.filter(({ kind }) => kind === "Deployment");
  const failed = await Promise.all(jobsAmong(applied).map((job) => explainFailedJob(cluster, job)));
  const stuck = await Promise.all(
    deployments.map(async ({ kind, name }) => {
      const live = await cluster.read({ apiVersion: "apps/v1", kind, metadata: { namespace, name } });
      const { spec, status: own } = (live ?? {}) as unknown as {
        readonly spec: { readonly selector: { readonly matchLabels: Record<string, string> } };
        readonly status?: { readonly conditions?: readonly { readonly reason?: string }[] };
      };
      if (live === undefined || !own?.conditions?.some(({ reason }) => reason === "ProgressDeadlineExceeded"))
        return [];
      return [
        `${nameOf(live)}: exceeded its progress deadline\n${await explainRollout(cluster, namespace, name, spec.selector.matchLabels)}`,
      ];
    }),
  );
  return [...failed.filter((why) => why !== undefined), ...stuck.flat()];
}

/** Tells for how long something has been so. */
class Patience {
  #since: { readonly what: string; readonly begin: number } | undefined;

  isOver(what: string | undefined): boolean {
    if (what === undefined) this.#since = undefined;
    else if (this.#since?.what !== what) this.#since = { what, begin: performance.now() };
    return this.#since !== undefined && performance.now() - this.#since.begin > patienceSeconds * 1000;
  }
}

/** Waits for one of the stack's Kustomizations. */
async function awaitKustomization(
  cluster: Cluster,
  sync: KubeObject,
  goal: SyncGoal,
  deadline: number,
): Promise<void> {
  const { namespace, revision, isSame, timeoutSeconds, onProgress } = goal;
  const what = `Kustomization ${sync.metadata.name}`;
  const known = new Map([[revision, true]]);
  const isOurs = async (commit: string | undefined) => {
    if (commit === undefined) return false;
    const same = known.get(commit) ?? (await isSame(commit));
    known.set(commit, same);
    return same;
  };
  const patience = new Patience();
  let last = "";
  for (;;) {
    const live = await cluster.read(sync);
    if (live === undefined) throw new Fault({ what, rule: "was deleted while it was synced" });
    const status = fluxStatusOf(live);
    const summary = summaryOfFlux(status);
    if (summary !== last) onProgress(`Flux: ${summary}`);
    last = summary;
    const ready = readyOf(status);
    const current = ready?.observedGeneration === live.metadata.generation;
    if (current && ready?.status === "True" && (await isOurs(commitIn(status.lastAppliedRevision)))) {
      await takeFromPush(cluster, { resources: appliedBy(status) });
      return;
    }
    const fetched = readyOf(fluxStatusOf(await cluster.read(sourceOf(namespace))));
    const unread =
      fetched?.status === "False" ? `GitRepository ${fluxName(namespace)}: ${fetched.message}` : undefined;
    // What became of it before it was asked is not what becomes of it now.
    const { [requestedAt]: asked } = (live.metadata.annotations ?? {}) as { readonly [name: string]: string };
    const isAnswer = status.lastHandledReconcileAt === asked;
    const refused =
      ready?.status === "False" &&
      current &&
      isAnswer &&
      (await isOurs(commitIn(status.lastAttemptedRevision)))
        ? ready.message
        : undefined;
    const isFinal = ready?.reason === "HealthCheckFailed" || ready?.reason === "BuildFailed";
    const trouble = refused ?? unread;
    // While Flux tries again, it is not known yet whether the trouble lasts.
    const undecided = trouble === undefined && ready?.status === "Unknown";
    const timeIsUp = performance.now() > deadline;
    if ((!undecided && patience.isOver(trouble)) || (refused !== undefined && isFinal) || timeIsUp) {
      const why = refused === undefined ? [] : await culprits(cluster, namespace, status);
      throw new Fault({
        what,
        value: summary,
        rule: timeIsUp
          ? `must be ready at the commit ${revision.slice(0, 10)} within ${timeoutSeconds} s`
          : `did not get to the commit ${revision.slice(0, 10)}; the pods of the last good release keep serving`,
        log: [trouble ?? ready?.message ?? "Flux has not looked at it", ...why].join("\n"),
        fix: timeIsUp
          ? "see whether Flux runs (`kubectl --namespace flux-system get pods`)"
          : "correct it and deliver again, or git revert the commit",
      });
    }
    await sleep(interval);
  }
}

/**
 * Waits until a stack's Kustomizations have applied a commit and its workloads are healthy.
 *
 * @throws Fault with Flux's message, and that of the failing pods or migration, as soon as it is known that this commit
 *   does not get there, or when time is up; the pods that served before keep serving
 */
export async function awaitFlux(cluster: Cluster, goal: SyncGoal): Promise<void> {
  const deadline = performance.now() + goal.timeoutSeconds * 1000;
  const syncs = await syncsOf(cluster, goal.namespace);
  if (syncs.length === 0)
    throw new Fault({
      what: `Kustomization ${fluxName(goal.namespace)}`,
      rule: "was deleted while it was synced",
    });
  for (const [index, sync] of syncs.entries()) {
    // One that waits for another looks only now and then whether that is ready.
    if (index > 0) await request(cluster, sync);
    await awaitKustomization(cluster, sync, goal, deadline);
  }
}
