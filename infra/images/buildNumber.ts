import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { InputError } from "../config/error.ts";
import { buildNumber as validBuildNumber } from "../config/primitives.ts";
import { contextHash } from "./contextHash.ts";

/** How a CI system numbers its builds. */
interface CiSystem {
  readonly name: string;
  /** Variable that has the number of the running build. */
  readonly number: string;
  /** What shares that number with others: `pr-12`; undefined where nothing does. */
  readonly series?: (env: NodeJS.ProcessEnv) => string | undefined;
  /** Variable that counts how often the build was started, from 1, where that leaves the number as it is. */
  readonly attempt?: string;
}

/** A branch as part of a tag. Where that is not its very name, a hash follows, so that no two branches share one. */
function branchSeries(branch: string): string {
  const safe = branch
    .replaceAll(/[^A-Za-z0-9]+/g, "-")
    .slice(0, 30)
    .replaceAll(/^-+|-+$/g, "");
  // A branch of such a name would be taken for a pull request.
  if (safe === branch && !/^pr-\d+$/.test(branch)) return safe;
  const hash = createHash("sha256").update(branch).digest("hex").slice(0, 6);
  return safe === "" ? hash : `${safe}-${hash}`;
}

const ciSystems: readonly CiSystem[] = [
  {
    name: "GitHub Actions",
    number: "GITHUB_RUN_NUMBER",
    // Each workflow counts for itself: that of pull requests, and that of the main branch.
    series: ({ GITHUB_REF }) => {
      const number = /^refs\/pull\/(\d+)\//.exec(GITHUB_REF ?? "")?.[1];
      return number === undefined ? undefined : `pr-${number}`;
    },
    attempt: "GITHUB_RUN_ATTEMPT",
  },
  { name: "GitLab CI", number: "CI_PIPELINE_IID" },
  { name: "Azure Pipelines", number: "BUILD_BUILDNUMBER", attempt: "SYSTEM_STAGEATTEMPT" },
  { name: "Bitbucket Pipelines", number: "BITBUCKET_BUILD_NUMBER", attempt: "BITBUCKET_STEP_RUN_NUMBER" },
  {
    name: "Jenkins",
    number: "BUILD_NUMBER",
    // Each branch and each pull request is a job, which counts for itself.
    series: ({ BRANCH_NAME, BRANCH_IS_PRIMARY, CHANGE_ID }) => {
      if (CHANGE_ID) return `pr-${CHANGE_ID}`;
      const main = !BRANCH_NAME || BRANCH_NAME === "main" || BRANCH_IS_PRIMARY === "true";
      return main ? undefined : branchSeries(BRANCH_NAME);
    },
  },
];

/** The CI's number of the running build, one for all of the repository: an image's tag is never moved to another build. */
function ciBuildNumber(env: NodeJS.ProcessEnv): string | undefined {
  const system = ciSystems.find(({ number }) => env[number] !== undefined && env[number] !== "");
  if (system === undefined) return undefined;
  const series = system.series?.(env);
  const attempt = Number((system.attempt === undefined ? undefined : env[system.attempt]) || 1);
  const value = `${series === undefined ? "" : `${series}-`}${env[system.number]}${attempt > 1 ? `.${attempt}` : ""}`;
  if (validBuildNumber.safeParse(value).success) return value;
  throw new InputError({
    key: `${system.number} (${system.name})`,
    value,
    rule: "must be a build number that an image tag can hold: at most 63 letters, digits, dots, dashes and underscores, beginning and ending with a letter or digit",
  });
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
 * @returns a valid image tag and label value: `4711`, `pr-12-4711.2`, `1a2b3c4d5e`, `1a2b3c4d5e-dirty-0123456789ab`, `src-0123456789ab` without Git
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
