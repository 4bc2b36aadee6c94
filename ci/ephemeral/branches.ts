import { execa } from "execa";
import { root } from "../../infra/projectRoot.ts";

/** Branches that the repository's remote has, and which of them are merged. */
export interface Branches {
  /** Undefined where the remote cannot be asked: then nobody knows. */
  readonly remote: ReadonlyMap<string, string> | undefined;
  readonly isMerged: (branch: string) => Promise<boolean>;
}

async function git(...args: string[]): Promise<string | undefined> {
  const { failed, stdout } = await execa("git", args, {
    cwd: root,
    reject: false,
    stdin: "ignore",
    timeout: 60_000,
    env: { GIT_TERMINAL_PROMPT: "0" },
  });
  return failed ? undefined : stdout;
}

/** Commits of the remote's branches by name. */
async function remoteBranches(): Promise<Map<string, string> | undefined> {
  const listing = await git("ls-remote", "--heads", "origin");
  if (listing === undefined || listing.trim() === "") return undefined;
  return new Map(
    listing
      .trim()
      .split("\n")
      .map((line) => {
        const [commit = "", ref = ""] = line.split("\t");
        return [ref.replace(/^refs\/heads\//, ""), commit];
      }),
  );
}

/** Asks the remote, once. */
export async function readBranches(): Promise<Branches> {
  const remote = await remoteBranches();
  return {
    remote,
    isMerged: async (branch) => {
      if (remote === undefined) return false;
      const commit = remote.get(branch);
      // A branch that is gone has been merged, or given up.
      if (commit === undefined) return true;
      if ((await git("merge-base", "--is-ancestor", commit, "HEAD")) === undefined) return false;
      // On the main line itself is a branch on which nobody has committed anything yet.
      const line = await git("rev-list", "--first-parent", "HEAD");
      return line !== undefined && !line.split("\n").includes(commit);
    },
  };
}
