import { execFileSync } from "node:child_process";
import { InputError } from "../config/error.ts";
import { buildNumber as validBuildNumber } from "../config/primitives.ts";
import { contextHash } from "./contextHash.ts";

/** Where the CI systems keep the number of the running build. */
const ciVariables = {
  GITHUB_RUN_NUMBER: "GitHub Actions",
  CI_PIPELINE_IID: "GitLab CI",
  BUILD_BUILDNUMBER: "Azure Pipelines",
  BITBUCKET_BUILD_NUMBER: "Bitbucket Pipelines",
  BUILD_NUMBER: "Jenkins",
} as const;

function ciBuildNumber(env: NodeJS.ProcessEnv): string | undefined {
  for (const [variable, system] of Object.entries(ciVariables)) {
    const value = env[variable];
    if (value === undefined || value === "") continue;
    if (!validBuildNumber.safeParse(value).success) {
      throw new InputError({
        key: `${variable} (${system})`,
        value,
        rule: "must be a build number that an image tag can hold: at most 63 letters, digits, dots, dashes and underscores, beginning and ending with a letter or digit",
      });
    }
    return value;
  }
  return undefined;
}

/** The output of git, or nothing where there is no git, no repository or no commit. */
function git(directory: string, ...args: string[]): string | undefined {
  try {
    return execFileSync("git", ["-C", directory, ...args], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  } catch {
    return undefined;
  }
}

/**
 * The build number of what is built from a context. In CI, the CI's own. Else the commit that last touched the
 * context, so that a commit elsewhere rebuilds nothing; a dirty context is marked and told apart by its content.
 *
 * @param directory absolute path of the build context
 * @returns a valid image tag and label value: `4711`, `1a2b3c4d5e`, `1a2b3c4d5e-dirty-0123456789ab`, `src-0123456789ab` without Git
 */
export function buildNumber(directory: string, env: NodeJS.ProcessEnv): string {
  const ci = ciBuildNumber(env);
  if (ci !== undefined) return ci;
  const commit = git(directory, "log", "-1", "--format=%H", "--", ".");
  if (commit === undefined || commit === "") return `src-${contextHash(directory)}`;
  const short = commit.slice(0, 10);
  const clean = git(directory, "status", "--porcelain", "--", ".") === "";
  return clean ? short : `${short}-dirty-${contextHash(directory)}`;
}

/** Commit of the sources that this program runs from, marked where they have changed since; nothing without Git. */
export function sourceCommit(directory: string = import.meta.dirname): string | undefined {
  const commit = git(directory, "rev-parse", "HEAD");
  if (commit === undefined) return undefined;
  return git(directory, "status", "--porcelain") === "" ? commit : `${commit}-dirty`;
}
