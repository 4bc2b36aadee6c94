import { Cluster } from "../cluster/cluster.ts";
import { Fault } from "../fault.ts";
import { awaitApplication } from "./argocd/applicationSet.ts";
import { takeFromPush } from "./argocd/handover.ts";
import { awaitSync, requestRefresh, retryMigrations, type SyncGoal } from "./argocd/sync.ts";
import { type Committed, commitFiles, newestWith } from "./commit.ts";
import { awaitFlux, requestFlux } from "./flux/sync.ts";
import type { GitRemote } from "./git.ts";
import { revertFolder } from "./revert.ts";

/** A delivery by GitOps: what is committed where, and who is to sync it. Plain JSON. */
export interface ReleaseInputs {
  /** Who syncs it. */
  readonly engine: "argocd" | "flux";
  readonly remote: GitRemote;
  readonly branch: string;
  readonly folder: string;
  /** Contents by path from the repository's root. */
  readonly files: { readonly [path: string]: string };
  readonly message: string;
  readonly author: { readonly name: string; readonly email: string };
  readonly signingKey?: string | undefined;
  readonly prOnly: boolean;
  /** Content of a kubeconfig. */
  readonly kubeconfig: string;
  /** Namespace of the workloads. */
  readonly namespace: string;
  /** Whether an ApplicationSet makes the stack's Application. */
  readonly fromSet: boolean;
  readonly timeoutSeconds: number;
  /** Whether to wait until it runs, rather than commit only. */
  readonly wait: boolean;
  /** Whether to take the commit back when it does not get to run. */
  readonly atomic: boolean;
}

/** What a delivery came to. */
export interface Released {
  readonly commit: string;
  readonly branch: string;
  /** Whether it waits for a review. */
  readonly proposed: boolean;
}

/** `committed 1a2b3c4d5e to main: 2 added, 1 changed` */
export function describeCommit({ commit, branch, changes, proposed }: Committed): string {
  const counts = Object.entries(changes)
    .filter(([, paths]) => paths.length > 0)
    .map(([change, paths]) => `${paths.length} ${change}`);
  const short = commit.slice(0, 10);
  if (proposed)
    return `proposed ${short} on the branch ${branch}: nothing is delivered before it is reviewed and merged`;
  return counts.length === 0
    ? `nothing to commit: ${branch} has it at ${short}`
    : `committed ${short} to ${branch}: ${counts.join(", ")}`;
}

/** Asks the engine to look now, and waits until the commit runs. */
async function sync(
  { engine, fromSet }: Pick<ReleaseInputs, "engine" | "fromSet">,
  cluster: Cluster,
  goal: SyncGoal,
): Promise<void> {
  switch (engine) {
    case "argocd":
      if (fromSet) await awaitApplication(cluster, goal.namespace);
      await retryMigrations(cluster, goal.namespace, goal.revision);
      await requestRefresh(cluster, goal.namespace, goal.revision);
      return takeFromPush(cluster, await awaitSync(cluster, goal));
    case "flux":
      await requestFlux(cluster, goal.namespace);
      return awaitFlux(cluster, goal);
  }
}

/** Takes the commit back, and syncs that. @returns what became of it, for whoever reads why */
async function putBack(
  inputs: ReleaseInputs,
  cluster: Cluster,
  goal: SyncGoal,
  tree: string,
): Promise<string> {
  const short = (commit: string) => commit.slice(0, 10);
  let done = "";
  try {
    const reverted = await revertFolder({ ...inputs, tree });
    if (reverted === undefined) return "there is no release before to put back; correct it and deliver again";
    done = `${short(reverted.commit)} reverts ${short(reverted.reverted)}`;
    goal.onProgress(`committed ${short(reverted.commit)} to ${inputs.branch}: ${done}`);
    const isSame = async (revision: string) =>
      (await newestWith(inputs.remote, { ...inputs, tree: reverted.tree })) === revision;
    await sync(inputs, cluster, { ...goal, revision: reverted.commit, isSame });
    return `the release before was put back: ${done}; correct this one and deliver again`;
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const what =
      done === "" ? "could not be put back" : `is back in the repository (${done}) and does not run`;
    // Why the release failed is what the reader came for: this does not take its place.
    return `the release before ${what}: ${error.message}`;
  }
}

/** Syncs the goal's commit. One that does not get to run is taken back first where the release is atomic. */
async function syncOrRevert(
  inputs: ReleaseInputs,
  cluster: Cluster,
  goal: SyncGoal,
  tree: string,
): Promise<void> {
  try {
    await sync(inputs, cluster, goal);
  } catch (error) {
    if (!inputs.atomic || !(error instanceof Fault)) throw error;
    throw new Fault({ ...error.parts, fix: await putBack(inputs, cluster, goal, tree) });
  }
}

/**
 * Commits a stack's files, and, where it is to wait, asks the engine to look and waits until they run.
 *
 * @throws Fault when the repository refuses the commit, or what it holds does not get to run
 */
export async function release(inputs: ReleaseInputs, onProgress: (line: string) => void): Promise<Released> {
  const { remote, branch, folder, files, kubeconfig, namespace, timeoutSeconds, wait } = inputs;
  const { author, message, signingKey, prOnly } = inputs;
  const committed = await commitFiles({
    author,
    message,
    signingKey,
    prOnly,
    remote,
    branch,
    folder,
    files: Object.entries(files).map(([path, content]) => ({ path, content })),
  });
  onProgress(describeCommit(committed));
  const { commit, tree, proposed } = committed;
  if (wait && !proposed)
    await syncOrRevert(
      inputs,
      new Cluster(kubeconfig),
      {
        namespace,
        revision: commit,
        isSame: async (revision) => (await newestWith(remote, { branch, folder, tree })) === revision,
        timeoutSeconds,
        onProgress,
      },
      tree,
    );
  return { commit, branch: committed.branch, proposed };
}
