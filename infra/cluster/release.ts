import { Fault } from "../fault.ts";
import { type Cluster, type KubeObject, nameOf } from "./cluster.ts";
import { awaitsPromotion } from "./progress.ts";
import { currentRevision, putBack, putBackAnnotation } from "./revision.ts";
import { waitForRollout } from "./rollout.ts";

/** A workload whose definition was applied. Plain JSON. */
export interface AppliedWorkload {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** `metadata.generation` of the definition that was applied. */
  readonly generation?: number;
}

/** Revision of each workload's pods, by the workload's name. */
export type Revisions = { readonly [workload: string]: string };

export interface RolledOut {
  readonly running: Revisions;
  /** Rollouts whose new pods take over when somebody promotes them. */
  readonly waiting: readonly string[];
}

export interface ReleaseGoal {
  readonly workloads: readonly AppliedWorkload[];
  /** What ran before. */
  readonly before: Revisions;
  /** Whether to put that back when this does not get to run. */
  readonly atomic: boolean;
}

type OnProgress = (line: string) => void;

function objectOf({ apiVersion, kind, namespace, name }: AppliedWorkload): KubeObject {
  return { apiVersion, kind, metadata: { namespace, name } };
}

/** A definition that was applied once, failed and was taken away is not there to be waited for. */
function requireApplied({ generation }: AppliedWorkload, live: KubeObject | undefined): void {
  const annotations = (live?.metadata.annotations ?? {}) as Record<string, string>;
  if (live === undefined || generation === undefined) return;
  if (annotations[putBackAnnotation] !== String(generation)) return;
  throw new Fault({
    what: nameOf(live),
    rule: "runs the release before: this one failed, and was taken back",
    fix: "correct it and deliver again, with --refresh if it is the same (pulumi up --refresh)",
  });
}

/** Puts back what ran before. @returns the names of those that did not run it any more */
async function putAllBack(
  cluster: Cluster,
  { workloads, before }: ReleaseGoal,
  onProgress: OnProgress,
): Promise<string[]> {
  const changed = await Promise.all(
    workloads.map(async (workload) => {
      const revision = before[workload.name];
      return revision === undefined ? undefined : putBack(cluster, objectOf(workload), revision);
    }),
  );
  const objects = changed.filter((object) => object !== undefined);
  await Promise.all(
    objects.map((object) =>
      waitForRollout(cluster, object, (summary) => onProgress(`putting ${nameOf(object)} back: ${summary}`)),
    ),
  );
  return objects.map(nameOf);
}

/** The failure of a release that was to be taken back, and what became of that. */
async function afterPuttingBack(
  cluster: Cluster,
  goal: ReleaseGoal,
  failure: Fault,
  onProgress: OnProgress,
): Promise<Fault> {
  try {
    const names = await putAllBack(cluster, goal, onProgress);
    return new Fault({
      ...failure.parts,
      fix:
        names.length === 0
          ? "there is no release before to put back; correct it and deliver again"
          : `the release before was put back: ${names.join(", ")}; correct this one and deliver again`,
    });
  } catch (error) {
    return new Fault({
      ...failure.parts,
      fix: `the release before could not be put back (${(error as Error).message.split("\n")[0]}): deliver it again`,
    });
  }
}

/**
 * Waits until the pods of every workload run what was applied.
 *
 * @returns the revisions that run then, and what is left to people
 * @throws Fault of the first workload that does not get there, with its pods, events and last log lines
 */
export async function rollOut(
  cluster: Cluster,
  goal: ReleaseGoal,
  onProgress: OnProgress,
): Promise<RolledOut> {
  const stop = new AbortController();
  try {
    const running = await Promise.all(
      goal.workloads.map(async (workload) => {
        const object = objectOf(workload);
        requireApplied(workload, await cluster.read(object));
        const live = await waitForRollout(
          cluster,
          object,
          (summary) => onProgress(`${nameOf(object)}: ${summary}`),
          stop.signal,
        );
        const waits = live.kind === "Rollout" && awaitsPromotion(live);
        // Until it is promoted, what ran before is what is good.
        const revision = waits ? goal.before[workload.name] : await currentRevision(cluster, live);
        return { name: workload.name, revision, waiting: waits ? [nameOf(live)] : [] };
      }),
    );
    const known = running.flatMap(({ name, revision }) => (revision === undefined ? [] : [[name, revision]]));
    const waiting = running.flatMap((one) => one.waiting);
    for (const rollout of waiting)
      onProgress(`${rollout} waits for its promotion: kubectl argo rollouts promote`);
    return { running: Object.fromEntries(known), waiting };
  } catch (error) {
    stop.abort();
    if (!goal.atomic || !(error instanceof Fault)) throw error;
    throw await afterPuttingBack(cluster, goal, error, onProgress);
  }
}
