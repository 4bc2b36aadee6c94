import { setTimeout as sleep } from "node:timers/promises";
import { type Cluster, type KubeObject, nameOf } from "../../cluster/cluster.ts";
import { explainRollout } from "../../cluster/explain.ts";
import { Fault } from "../../fault.ts";
import { takeFromPush } from "../argocd/handover.ts";
import type { SyncGoal } from "../argocd/sync.ts";
import { fluxName, fluxNamespace, kustomizeApiVersion, requestedAt, sourceApiVersion } from "./names.ts";
import { appliedBy, commitIn, type FluxStatus, fluxStatusOf, readyOf, summaryOfFlux } from "./status.ts";

/** Milliseconds between two looks. */
const interval = 200;

/** Seconds that a trouble which may pass by itself is waited for: Flux tries again every five. */
const patienceSeconds = 15;

/** The stack's GitRepository and Kustomization, by the namespace of its workloads. */
function objectsOf(namespace: string): { readonly source: KubeObject; readonly sync: KubeObject } {
  const metadata = { name: fluxName(namespace), namespace: fluxNamespace };
  return {
    source: { apiVersion: sourceApiVersion, kind: "GitRepository", metadata },
    sync: { apiVersion: kustomizeApiVersion, kind: "Kustomization", metadata },
  };
}

/** Asks Flux to look at the repository now, and at the cluster. */
export async function requestFlux(cluster: Cluster, namespace: string): Promise<void> {
  const { source, sync } = objectsOf(namespace);
  const annotations = { [requestedAt]: new Date().toISOString() };
  for (const object of [source, sync])
    await cluster.merge({ ...object, metadata: { ...object.metadata, annotations } });
}

/** Says which Deployment has given up on its new pods, and why; nothing when none has. */
async function stuckRollouts(cluster: Cluster, namespace: string, status: FluxStatus): Promise<string[]> {
  const deployments = appliedBy(status).filter(({ kind }) => kind === "Deployment");
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
  return stuck.flat();
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

/**
 * Waits until a stack's Kustomization has applied a commit and its workloads are healthy.
 *
 * @throws Fault with Flux's message, and that of the failing pods, as soon as it is known that this commit does not get
 *   there, or when time is up; the pods that served before keep serving
 */
export async function awaitFlux(cluster: Cluster, goal: SyncGoal): Promise<void> {
  const { namespace, revision, isSame, timeoutSeconds, onProgress } = goal;
  const { source, sync } = objectsOf(namespace);
  const what = `Kustomization ${fluxName(namespace)}`;
  const deadline = performance.now() + timeoutSeconds * 1000;
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
    const fetched = readyOf(fluxStatusOf(await cluster.read(source)));
    const unread =
      fetched?.status === "False" ? `GitRepository ${fluxName(namespace)}: ${fetched.message}` : undefined;
    const refused =
      ready?.status === "False" && current && (await isOurs(commitIn(status.lastAttemptedRevision)))
        ? ready.message
        : undefined;
    const isFinal = ready?.reason === "HealthCheckFailed" || ready?.reason === "BuildFailed";
    const trouble = refused ?? unread;
    const timeIsUp = performance.now() > deadline;
    if (patience.isOver(trouble) || (refused !== undefined && isFinal) || timeIsUp) {
      const pods = refused === undefined ? [] : await stuckRollouts(cluster, namespace, status);
      throw new Fault({
        what,
        value: summary,
        rule: timeIsUp
          ? `must be ready at the commit ${revision.slice(0, 10)} within ${timeoutSeconds} s`
          : `did not get to the commit ${revision.slice(0, 10)}; the pods of the last good release keep serving`,
        log: [trouble ?? ready?.message ?? "Flux has not looked at it", ...pods].join("\n"),
        fix: timeIsUp
          ? "see whether Flux runs (`kubectl --namespace flux-system get pods`)"
          : "correct it and deliver again, or git revert the commit",
      });
    }
    await sleep(interval);
  }
}
