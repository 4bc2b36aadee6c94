import { setTimeout as sleep } from "node:timers/promises";
import { type Cluster, type KubeObject, nameOf } from "../../cluster/cluster.ts";
import { explainWorkload } from "../../cluster/explainWorkload.ts";
import { deleteFailedJob, explainFailedJob, jobsAmong } from "../../cluster/job.ts";
import { progressOf } from "../../cluster/progress.ts";
import { Fault } from "../../fault.ts";
import { podKinds } from "../../workloads/podKinds.ts";
import { applicationName, argoApiVersion, argocdNamespace } from "./names.ts";
import { type ApplicationStatus, operationRevision, statusOf, summaryOf } from "./status.ts";

/** Milliseconds between two looks. */
const interval = 200;

/** Seconds that an error of the comparison, or of an object other than a Deployment, may last: it can be of the moment before. */
const patienceSeconds = 15;

/** The same for an Application that Argo CD calls invalid: one that was restarted finds the project only after a while. */
const invalidPatienceSeconds = 60;

/** The Application of a stack, by the namespace of its workloads. */
export function applicationOf(namespace: string): KubeObject {
  return {
    apiVersion: argoApiVersion,
    kind: "Application",
    metadata: { name: applicationName(namespace), namespace: argocdNamespace },
  };
}

/**
 * Asks Argo CD to look at the repository now, rather than at its next poll. A sync of another commit that still
 * runs, because its pods never get ready, is ended: it would be in the way of this one.
 */
export async function requestRefresh(cluster: Cluster, namespace: string, revision: string): Promise<void> {
  const application = applicationOf(namespace);
  const before = await cluster.read(application);
  if (before !== undefined) {
    const status = statusOf(before);
    if (status.operationState?.phase === "Running" && operationRevision(status) !== revision)
      await cluster.merge({
        ...application,
        status: { operationState: { phase: "Terminating" } },
      } as KubeObject);
  }
  await cluster.merge({
    ...application,
    metadata: { ...application.metadata, annotations: { "argocd.argoproj.io/refresh": "normal" } },
  });
}

interface SyncPolicy {
  readonly automated?: { readonly prune?: boolean };
  readonly syncOptions?: readonly string[];
  readonly retry?: object;
}

/**
 * Syncs a commit as Argo CD would by itself, sync windows included. It does not try one twice by itself: a commit
 * that a retry had gone over to just when that sync was ended would stay.
 */
async function syncAgain(cluster: Cluster, application: KubeObject, revision: string): Promise<void> {
  const { apiVersion, kind, metadata } = application;
  const { syncPolicy = {} } = (application as unknown as { spec: { syncPolicy?: SyncPolicy } }).spec;
  await cluster.merge({
    apiVersion,
    kind,
    metadata: { name: metadata.name, namespace: argocdNamespace },
    operation: {
      initiatedBy: { automated: true },
      sync: {
        revision,
        prune: syncPolicy.automated?.prune ?? false,
        syncOptions: syncPolicy.syncOptions ?? [],
      },
      ...(syncPolicy.retry === undefined ? {} : { retry: syncPolicy.retry }),
    },
  } as KubeObject);
}

/**
 * Has a commit's migration run again which has failed: Argo CD would leave both as they are.
 */
export async function retryMigrations(cluster: Cluster, namespace: string, revision: string): Promise<void> {
  const before = await cluster.read(applicationOf(namespace));
  if (before === undefined) return;
  const status = statusOf(before);
  const failed = await Promise.all(
    jobsAmong(status.resources ?? []).map((job) => deleteFailedJob(cluster, job)),
  );
  // One of another commit is none of this one's: Argo CD syncs that by itself.
  if (!failed.includes(true) || operationRevision(status) !== revision) return;
  if (status.operationState?.phase !== "Running") await syncAgain(cluster, before, revision);
}

/** Whether the last sync was ended, rather than failed. */
function wasEnded({ operationState }: ApplicationStatus): boolean {
  return operationState?.phase !== "Running" && /^Operation terminated/.test(operationState?.message ?? "");
}

/** `Deployment shop/api: its message`, for the objects that a sync failed at. */
function failedResults({ operationState }: ApplicationStatus): string[] {
  return (operationState?.syncResult?.resources ?? [])
    .filter(
      ({ status, hookPhase }) => status === "SyncFailed" || hookPhase === "Failed" || hookPhase === "Error",
    )
    .map(
      ({ kind, namespace, name, message }) =>
        `${kind} ${namespace ? `${namespace}/` : ""}${name}: ${message}`,
    );
}

function conditionsOf(status: ApplicationStatus, pattern: RegExp): string[] {
  return (status.conditions ?? []).filter(({ type }) => pattern.test(type)).map(({ message }) => message);
}

/** What is not as the commit says, for a message when time is up. */
function unfinished(status: ApplicationStatus): string[] {
  const objects = (status.resources ?? [])
    .filter(({ status: own, health }) => own !== "Synced" || (health?.status ?? "Healthy") !== "Healthy")
    .map(({ kind, name, status: own, health }) =>
      [`${kind} ${name}: ${own}`, health?.status, health?.message].filter(Boolean).join(", "),
    );
  return [
    ...conditionsOf(status, /Error|Warning/),
    ...(status.operationState?.message ? [status.operationState.message] : []),
    ...objects,
  ];
}

/**
 * Says which Deployment or Rollout has given up on its new pods, and why; nothing when none has. Argo CD tells that some object
 * is degraded, not which one: it does not keep the health of each in the Application.
 */
async function stuckRollout(
  cluster: Cluster,
  { resources = [] }: ApplicationStatus,
): Promise<string | undefined> {
  for (const { kind, namespace, name, status: own } of resources) {
    // One that is not as the commit says yet is still at the rollout before: its migration may be running.
    const apiVersion = podKinds[kind];
    if (apiVersion === undefined || namespace === undefined || own !== "Synced") continue;
    const live = await cluster.read({ apiVersion, kind, metadata: { namespace, name } });
    if (live === undefined) continue;
    // Argo CD may still look at the rollout before; this looks at the live one.
    const { failed, summary, rule } = progressOf(live, 0);
    if (failed) return `${nameOf(live)}: ${summary}: ${rule}\n${await explainWorkload(cluster, live)}`;
  }
  return undefined;
}

export interface SyncGoal {
  /** Namespace of the stack's workloads. */
  readonly namespace: string;
  readonly revision: string;
  /** Whether another commit of the branch has the same files for this stack: others commit to it too. */
  readonly isSame: (revision: string) => Promise<boolean>;
  readonly timeoutSeconds: number;
  /** Told a line whenever the state changes. */
  readonly onProgress: (line: string) => void;
}

/** Waits on one Application; knows how long each kind of trouble has lasted. */
class SyncWatch {
  readonly #cluster: Cluster;
  readonly #goal: SyncGoal;
  readonly #revisions: Set<string>;
  readonly #others = new Set<string>();
  readonly #since = new Map<string, number>();

  constructor(cluster: Cluster, goal: SyncGoal) {
    this.#cluster = cluster;
    this.#goal = goal;
    this.#revisions = new Set([goal.revision]);
  }

  /** The commit that is delivered, or a later one with the same files. */
  async isOurs(revision: string | undefined): Promise<boolean> {
    if (revision === undefined || this.#others.has(revision)) return false;
    if (this.#revisions.has(revision)) return true;
    const same = await this.#goal.isSame(revision);
    // One that is not ours now is older, or somebody else's change of this stack's files.
    (same ? this.#revisions : this.#others).add(revision);
    return same;
  }

  /** Whether something has been so for a while. */
  #lasts(what: string, is: boolean, seconds = patienceSeconds): boolean {
    if (!is) {
      this.#since.delete(what);
      return false;
    }
    const begin = this.#since.get(what) ?? performance.now();
    this.#since.set(what, begin);
    return performance.now() - begin > seconds * 1000;
  }

  /** Why a migration has failed. Argo CD tries again, and the Job stays as it is. */
  async #failedMigration(status: ApplicationStatus): Promise<string | undefined> {
    const told = status.operationState?.syncResult?.resources ?? [];
    for (const job of jobsAmong(told.filter(({ hookPhase }) => hookPhase === "Failed"))) {
      const why = await explainFailedJob(this.#cluster, job);
      if (why !== undefined) return why;
    }
    return undefined;
  }

  /** Why this commit will not get there by itself, or nothing as long as it may. */
  async failure(status: ApplicationStatus): Promise<string | undefined> {
    const invalid = conditionsOf(status, /^InvalidSpecError$/);
    if (this.#lasts("invalid", invalid.length > 0, invalidPatienceSeconds)) return invalid.join("\n");
    const incomparable = conditionsOf(status, /^(ComparisonError|UnknownError)$/);
    if (this.#lasts("incomparable", incomparable.length > 0)) return incomparable.join("\n");
    const { operationState } = status;
    const failed = failedResults(status);
    const ended = operationState?.phase === "Failed" || operationState?.phase === "Error";
    const isOurs = (ended || failed.length > 0) && (await this.isOurs(operationRevision(status)));
    const migration = isOurs ? await this.#failedMigration(status) : undefined;
    if (migration !== undefined) return migration;
    const again = (operationState?.retryCount ?? 0) > 0 && failed.length > 0;
    // A sync that goes over to a new commit shows for a moment what became of the one before, or that it was ended.
    if (this.#lasts("failed", (ended || again) && isOurs))
      return [...failed, ...(ended ? [operationState?.message ?? ""] : [])].join("\n");
    const degraded = status.health?.status === "Degraded";
    const stuck = degraded ? await stuckRollout(this.#cluster, status) : undefined;
    // For a moment after a sync it is what became of the rollout before.
    if (this.#lasts("stuck", stuck !== undefined, 2)) return stuck;
    const settled = degraded && operationState?.phase !== "Running";
    return this.#lasts("degraded", settled) ? unfinished(status).join("\n") : undefined;
  }
}

/**
 * Waits until an Application is Synced and Healthy at a commit.
 *
 * @returns its status then
 * @throws Fault with the failing object's message as soon as it is known that this commit does not get there, or when
 *   time is up; the pods that served before keep serving
 */
export async function awaitSync(cluster: Cluster, goal: SyncGoal): Promise<ApplicationStatus> {
  const { namespace, revision, timeoutSeconds, onProgress } = goal;
  const watch = new SyncWatch(cluster, goal);
  const what = `Application ${applicationName(namespace)}`;
  const deadline = performance.now() + timeoutSeconds * 1000;
  let last = "";
  let again: string | undefined;
  for (;;) {
    const application = await cluster.read(applicationOf(namespace));
    if (application === undefined) throw new Fault({ what, rule: "was deleted while it was synced" });
    const status = statusOf(application);
    const { sync, health, operationState } = status;
    const summary = summaryOf(status);
    if (summary !== last) onProgress(`Argo CD: ${summary}`);
    last = summary;
    const ours = await watch.isOurs(sync?.revision);
    if (
      ours &&
      sync?.status === "Synced" &&
      health?.status === "Healthy" &&
      operationState?.phase !== "Running"
    )
      return status;
    if (ours && wasEnded(status) && operationState?.finishedAt !== again) {
      again = operationState?.finishedAt;
      await syncAgain(cluster, application, sync?.revision ?? revision);
    }
    const failure = ours || sync?.revision === undefined ? await watch.failure(status) : undefined;
    if (failure !== undefined) {
      throw new Fault({
        what,
        value: summary,
        rule: `did not get to the commit ${revision.slice(0, 10)}; the pods of the last good release keep serving`,
        log: failure,
        fix: "correct it and deliver again, or git revert the commit",
      });
    }
    if (performance.now() > deadline) {
      throw new Fault({
        what,
        value: summary,
        rule: `must be Synced and Healthy at the commit ${revision.slice(0, 10)} within ${timeoutSeconds} s`,
        log: unfinished(status).join("\n") || `it is at ${sync?.revision ?? "no commit"}`,
        fix: "see whether a sync window holds it back and whether Argo CD runs (`kubectl --namespace argocd get pods`)",
      });
    }
    await sleep(interval);
  }
}
