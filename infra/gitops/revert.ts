import { type CommitRequest, commitOn, replaceFolder } from "./commit.ts";
import { pushCommit } from "./pushCommit.ts";

export interface RevertRequest
  extends Pick<CommitRequest, "remote" | "branch" | "folder" | "author" | "signingKey"> {
  /** Id of the folder's tree that is to be taken back. */
  readonly tree: string;
}

export interface Reverted {
  /** The commit that takes back another one. */
  readonly commit: string;
  /** The one that it takes back. */
  readonly reverted: string;
  /** Id of the folder's tree since. */
  readonly tree: string;
}

/**
 * Takes back the last commit that changed a folder, as `git revert` does, and pushes that.
 *
 * @returns nothing where the folder was not there before, or somebody has changed it since
 * @throws Fault when the repository cannot be reached or refuses
 */
export async function revertFolder(request: RevertRequest): Promise<Reverted | undefined> {
  const { remote, branch, folder } = request;
  return pushCommit(remote, branch, async (repository, push) => {
    const head = await repository.fetch(branch, "all");
    if (head === undefined || (await repository.treeAt(head, folder)) !== request.tree) return undefined;
    const reverted = await repository.run(["rev-list", "-1", head, "--", folder]);
    const tree = await repository.treeAt(`${reverted}^`, folder);
    if (tree === undefined) return undefined;
    const root = await replaceFolder(repository, head, folder, [`M 040000 ${tree} ${folder}\n`]);
    const subject = await repository.run(["log", "-1", "--format=%s", reverted]);
    const message = `Revert "${subject}"\n\nThis reverts commit ${reverted}, whose release did not get to run.\n`;
    const commit = await commitOn(repository, { ...request, message }, head, root);
    await push({ commit, branch });
    return { commit, reverted, tree };
  });
}
