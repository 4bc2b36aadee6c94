import { randomInt } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { Fault } from "../fault.ts";
import { branchRefused, explainGit } from "./explain.ts";
import { GitFailure, type GitRemote, ScratchRepository } from "./git.ts";

/** How often a push is tried again when others push at the same time. */
const maxAttempts = 20;

/** Somebody else's push came between fetching and pushing. */
class Race extends Error {}

function isRace({ said }: GitFailure): boolean {
  return (
    /\[rejected\]/.test(said) ||
    /\[remote rejected\].*\((cannot lock ref|failed to update ref|incorrect old value|fetch first|reference already exists)/.test(
      said,
    )
  );
}

export interface Push {
  readonly commit: string;
  readonly branch: string;
}

/**
 * Has a commit made on top of a remote's newest one, and pushed. When others push at the same time, it is made anew on
 * top of theirs; nothing is ever forced.
 *
 * @param branch the one that is read, for messages
 * @param make fetches, commits, and awaits `push` for the commit
 * @throws Fault when the repository cannot be reached or refuses
 */
export async function pushCommit<T>(
  remote: GitRemote,
  branch: string,
  make: (repository: ScratchRepository, push: (what: Push) => Promise<void>) => Promise<T>,
): Promise<T> {
  try {
    return await ScratchRepository.with(remote, async (repository) => {
      const push = async ({ commit, branch: target }: Push) => {
        try {
          await repository.push(commit, target);
        } catch (error) {
          if (!(error instanceof GitFailure)) throw error;
          if (isRace(error)) throw new Race();
          if (/\[remote rejected\]/.test(error.said)) throw branchRefused(error, remote.url, target);
          throw error;
        }
      };
      for (let tries = 0; tries < maxAttempts; tries += 1) {
        try {
          return await make(repository, push);
        } catch (error) {
          if (!(error instanceof Race)) throw error;
          await sleep(randomInt(50, 200 * (tries + 1)));
        }
      }
      throw new Fault({
        what: "manifests repository",
        value: remote.url,
        rule: `changed each of the ${maxAttempts} times that a commit was pushed to ${branch}`,
        fix: "run again when fewer others push",
      });
    });
  } catch (error) {
    throw explainGit(error, remote.url);
  }
}
