import { createHash } from "node:crypto";
import { Fault } from "../fault.ts";
import { explainGit } from "./explain.ts";
import { type GitRemote, ScratchRepository } from "./git.ts";
import { type Push, pushCommit } from "./pushCommit.ts";

/** A file of the manifests repository. */
export interface ManifestFile {
  /** Path from the repository's root. */
  readonly path: string;
  readonly content: string;
}

export interface CommitRequest {
  readonly remote: GitRemote;
  readonly branch: string;
  /** Folder from the repository's root that the files are all of: what else is in it is removed. */
  readonly folder: string;
  readonly files: readonly ManifestFile[];
  readonly message: string;
  readonly author: { readonly name: string; readonly email: string };
  /** Private SSH key to sign the commit with. */
  readonly signingKey?: string | undefined;
  /** Push to a branch of its own, to be reviewed, rather than to `branch`. */
  readonly prOnly?: boolean | undefined;
}

export interface Committed {
  /** The commit that has the files: the new one, or the branch's newest where nothing had to change. */
  readonly commit: string;
  /** Where it is. */
  readonly branch: string;
  /** Id of the folder's tree: equal trees are equal files, in whatever commit. */
  readonly tree: string;
  /** Paths by what happened to them; all empty where nothing had to change. */
  readonly changes: {
    readonly added: readonly string[];
    readonly changed: readonly string[];
    readonly removed: readonly string[];
  };
  /** Whether it waits for a review on a branch of its own. */
  readonly proposed: boolean;
}

/** A path that stays below the repository's root, and that no file system or tool reads in another way. */
const safePath = /^(?!.*(^|\/)\.{1,2}(\/|$))(?!(.*\/)?\.git(\/|$))[A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*$/i;

function checkPaths({ folder, files }: CommitRequest): void {
  const wrong = [folder, ...files.map(({ path }) => path)].find((path) => !safePath.test(path));
  const outside = files.find(({ path }) => !path.startsWith(`${folder}/`))?.path;
  if (wrong === undefined && outside === undefined) return;
  throw new Fault({
    what: "path in the manifests repository",
    value: wrong ?? outside ?? "",
    rule:
      wrong === undefined
        ? `must be below the stack's folder ${folder}`
        : "must be relative, of letters, digits, dots, dashes and underscores, without . and .. and outside .git",
  });
}

/**
 * Puts other content in a folder's place, on top of a commit's tree: by git's fast-import, one process however many
 * files.
 *
 * @param content fast-import's commands that fill the folder
 * @returns id of the repository's tree then, which refs/slipway/tree points to
 */
export async function replaceFolder(
  repository: ScratchRepository,
  base: string | undefined,
  folder: string,
  content: readonly string[],
): Promise<string> {
  const input = [
    "feature done\ncommit refs/slipway/tree\ncommitter slipway <slipway> 0 +0000\ndata 0\n",
    base === undefined ? "" : `from ${base}\n`,
    `D ${folder}\n`,
    ...content,
    "\ndone\n",
  ].join("");
  await repository.run(["fast-import", "--quiet", "--force"], { input });
  return repository.run(["rev-parse", "refs/slipway/tree^{tree}"]);
}

/** Something at the folder's place that is no folder belongs to somebody else. */
async function checkFolder(repository: ScratchRepository, base: string, folder: string): Promise<void> {
  const parts = folder.split("/");
  for (const depth of parts.keys()) {
    const path = parts.slice(0, depth + 1).join("/");
    const kind = await repository.kindAt(base, path);
    if (kind === undefined) return;
    if (kind !== "tree")
      throw new Fault({
        what: "manifests repository",
        value: path,
        rule: "must be a folder there, and is a file, a link or a submodule",
        fix: "set slipway:delivery.repository.path to a folder for this program alone",
      });
  }
}

/** Makes a commit of a tree on top of another one, signed where there is a key for it. */
export async function commitOn(
  repository: ScratchRepository,
  request: Pick<CommitRequest, "author" | "message" | "signingKey">,
  base: string | undefined,
  tree: string,
): Promise<string> {
  const { author, message, signingKey } = request;
  const identity = Object.fromEntries(
    ["AUTHOR", "COMMITTER"].flatMap((who) => [
      [`GIT_${who}_NAME`, author.name],
      [`GIT_${who}_EMAIL`, author.email],
    ]),
  );
  const signing: string[] = [];
  if (signingKey !== undefined) {
    const key = await repository.secretFile("signing-key", signingKey);
    await repository.run(["config", "gpg.format", "ssh"]);
    signing.push(`-S${key}`);
  }
  const parents = base === undefined ? [] : ["-p", base];
  return repository.run(["commit-tree", ...signing, ...parents, "-F", "-", tree], {
    input: message,
    env: identity,
  });
}

async function changesBetween(
  repository: ScratchRepository,
  base: string | undefined,
  commit: string,
): Promise<Committed["changes"]> {
  const from = base === undefined ? ["--root"] : [base];
  const listed = await repository.run([
    "diff-tree",
    "-r",
    "--no-commit-id",
    "--no-renames",
    "--name-status",
    ...from,
    commit,
  ]);
  const lines = listed.split("\n").map((line) => line.split("\t") as [string, string?]);
  const paths = (status: string) =>
    lines.flatMap(([own, path]) => (own === status && path !== undefined ? [path] : []));
  return { added: paths("A"), changed: paths("M"), removed: paths("D") };
}

const nothing: Committed["changes"] = { added: [], changed: [], removed: [] };

/**
 * The branch of a proposal: the same files on the same branch have the same name, so that proposing twice is
 * proposing once, and no proposal ever has to be overwritten.
 */
function proposalBranch({ folder, branch }: CommitRequest, tree: string): string {
  const name = createHash("sha256").update(`${branch}\0${folder}\0${tree}`).digest("hex").slice(0, 12);
  return `slipway/${folder}-${name}`;
}

async function commitAndPush(
  repository: ScratchRepository,
  request: CommitRequest,
  push: (what: Push) => Promise<void>,
): Promise<Committed> {
  const { branch, folder, files, prOnly = false } = request;
  const base = await repository.fetch(branch);
  if (base !== undefined) await checkFolder(repository, base, folder);
  if (prOnly && base === undefined)
    throw new Fault({
      what: "manifests repository",
      value: branch,
      rule: "is a branch that does not exist, so there is nothing to propose a change of",
      fix: "create the branch with a first commit, or deliver once without slipway:delivery.prOnly",
    });
  const writes = files.map(
    ({ path, content }) => `M 100644 inline ${path}\ndata ${Buffer.byteLength(content)}\n${content}\n`,
  );
  const root = await replaceFolder(repository, base, folder, writes);
  const tree = await repository.run(["rev-parse", `refs/slipway/tree:${folder}`]);
  const unchanged = base !== undefined && (await repository.run(["rev-parse", `${base}^{tree}`])) === root;
  if (unchanged) return { commit: base, branch, tree, changes: nothing, proposed: false };
  const target = prOnly ? proposalBranch(request, tree) : branch;
  if (prOnly) {
    const known = await repository.fetch(target);
    if (known !== undefined) return { commit: known, branch: target, tree, changes: nothing, proposed: true };
  }
  const commit = await commitOn(repository, request, base, root);
  const changes = await changesBetween(repository, base, commit);
  await push({ commit, branch: target });
  return { commit, branch: target, tree, changes, proposed: prOnly };
}

/**
 * Makes a folder of a remote branch hold exactly these files, in one commit that is pushed. Where it does already,
 * there is no commit. When others push at the same time, the files are put on top of theirs; nothing is ever forced.
 *
 * @throws Fault when the repository cannot be reached or refuses; nothing is committed then
 */
export async function commitFiles(request: CommitRequest): Promise<Committed> {
  checkPaths(request);
  return pushCommit(request.remote, request.branch, (repository, push) =>
    commitAndPush(repository, request, push),
  );
}

/**
 * The newest commit of a branch, if its folder still holds the files of `tree`; nothing when somebody has changed
 * them since.
 */
export async function newestWith(
  remote: GitRemote,
  { branch, folder, tree }: { readonly branch: string; readonly folder: string; readonly tree: string },
): Promise<string | undefined> {
  try {
    return await ScratchRepository.with(remote, async (repository) => {
      const head = await repository.fetch(branch);
      return head !== undefined && (await repository.treeAt(head, folder)) === tree ? head : undefined;
    });
  } catch (error) {
    throw explainGit(error, remote.url);
  }
}
