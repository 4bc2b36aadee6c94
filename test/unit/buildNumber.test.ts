import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { InputError } from "../../infra/config/error.ts";
import { buildNumber } from "../../infra/images/buildNumber.ts";
import { temporaryDirectory, writeFiles } from "../support/temporary.ts";

function git(directory: string, ...args: string[]): string {
  const identity = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"];
  return execFileSync("git", ["-C", directory, ...identity, ...args], { encoding: "utf8" }).trim();
}

function commit(directory: string, files: { readonly [path: string]: string }): string {
  writeFiles(directory, files);
  git(directory, "add", "--all");
  git(directory, "commit", "--quiet", "--message", "x");
  return git(directory, "rev-parse", "HEAD").slice(0, 10);
}

/** A repository with two build contexts, api and web. */
function repository() {
  const root = temporaryDirectory();
  git(root, "init", "--quiet");
  const first = commit(root, { "api/main.ts": "api", "web/main.ts": "web", ".gitignore": "*.log\n" });
  return { root, api: join(root, "api"), first };
}

describe("in a Git repository", () => {
  test("a clean context has the commit that last touched it", () => {
    const { root, api, first } = repository();
    expect(buildNumber(api, {})).toBe(first);
    const second = commit(root, { "api/main.ts": "changed" });
    expect(buildNumber(api, {})).toBe(second);
  });

  test("a commit elsewhere changes nothing", () => {
    const { root, api, first } = repository();
    commit(root, { "web/main.ts": "changed", "README.md": "new" });
    expect(buildNumber(api, {})).toBe(first);
  });

  test("a change elsewhere that is not committed changes nothing", () => {
    const { root, api, first } = repository();
    writeFiles(root, { "web/main.ts": "changed" });
    expect(buildNumber(api, {})).toBe(first);
  });

  test("an ignored file changes nothing", () => {
    const { api, first } = repository();
    writeFiles(api, { "debug.log": "x" });
    expect(buildNumber(api, {})).toBe(first);
  });

  test("a dirty context is marked, and told apart by its content", () => {
    const { api, first } = repository();
    writeFiles(api, { "main.ts": "changed" });
    const one = buildNumber(api, {});
    writeFiles(api, { "main.ts": "changed again" });
    const other = buildNumber(api, {});
    expect(one).toMatch(new RegExp(`^${first}-dirty-[0-9a-f]{12}$`));
    expect(other).toMatch(new RegExp(`^${first}-dirty-[0-9a-f]{12}$`));
    expect(other).not.toBe(one);
    writeFiles(api, { "main.ts": "changed" });
    expect(buildNumber(api, {})).toBe(one);
  });

  test("a file that is new and not added makes the context dirty", () => {
    const { api, first } = repository();
    writeFiles(api, { "new.ts": "x" });
    expect(buildNumber(api, {})).toMatch(new RegExp(`^${first}-dirty-`));
  });

  test("a context that was never committed is named by its content", () => {
    const { root } = repository();
    writeFiles(root, { "worker/main.ts": "x" });
    expect(buildNumber(join(root, "worker"), {})).toMatch(/^src-[0-9a-f]{12}$/);
  });
});

test("without Git the content names the build", () => {
  const one = buildNumber(temporaryDirectory({ "main.ts": "x" }), {});
  expect(one).toMatch(/^src-[0-9a-f]{12}$/);
  expect(buildNumber(temporaryDirectory({ "main.ts": "x" }), {})).toBe(one);
  expect(buildNumber(temporaryDirectory({ "main.ts": "y" }), {})).not.toBe(one);
});

describe("in CI", () => {
  test.each([
    "GITHUB_RUN_NUMBER",
    "CI_PIPELINE_IID",
    "BUILD_BUILDNUMBER",
    "BITBUCKET_BUILD_NUMBER",
    "BUILD_NUMBER",
  ])("%s is the build number, whatever is committed", (variable) => {
    expect(buildNumber(repository().api, { [variable]: "4711" })).toBe("4711");
  });

  const pull = { GITHUB_RUN_NUMBER: "7", GITHUB_REF: "refs/pull/12/merge" };
  const branch = (name: string) => ({ BUILD_NUMBER: "7", BRANCH_NAME: name });

  test.each([
    ["a pull request on GitHub, whose workflow counts for itself", pull, "pr-12-7"],
    ["the main branch on GitHub", { GITHUB_RUN_NUMBER: "7", GITHUB_REF: "refs/heads/main" }, "7"],
    ["the first attempt", { GITHUB_RUN_NUMBER: "7", GITHUB_RUN_ATTEMPT: "1" }, "7"],
    ["a run that was started again", { ...pull, GITHUB_RUN_ATTEMPT: "2" }, "pr-12-7.2"],
    [
      "a stage that was started again",
      { BUILD_BUILDNUMBER: "20261122.3", SYSTEM_STAGEATTEMPT: "2" },
      "20261122.3.2",
    ],
    ["a step that was started again", { BITBUCKET_BUILD_NUMBER: "7", BITBUCKET_STEP_RUN_NUMBER: "3" }, "7.3"],
    ["the main branch's job in Jenkins", branch("main"), "7"],
    ["a main branch of another name", { ...branch("trunk"), BRANCH_IS_PRIMARY: "true" }, "7"],
    ["a branch's job in Jenkins", branch("login"), "login-7"],
    ["a pull request's job in Jenkins", { ...branch("PR-12"), CHANGE_ID: "12" }, "pr-12-7"],
    ["a branch that is called as one", branch("pr-12"), /^pr-12-[0-9a-f]{6}-7$/],
    ["a branch that no tag could hold", branch("feature/Über"), /^feature-ber-[0-9a-f]{6}-7$/],
    ["a branch of which nothing is left", branch("…"), /^[0-9a-f]{6}-7$/],
    ["a long branch", branch("a".repeat(300)), /^a{30}-[0-9a-f]{6}-7$/],
  ])("%s has a number that no other build of the repository has", (_, env, number) => {
    expect(buildNumber("/nowhere", env)).toMatch(
      number instanceof RegExp ? number : new RegExp(`^${number.replaceAll(".", "\\.")}$`),
    );
  });

  test("no two branches share a number in Jenkins, and a tag and a label hold each", () => {
    const branches = [
      "feature/a",
      "feature-a",
      "Feature-a",
      "feature_a",
      `${"x".repeat(50)}1`,
      `${"x".repeat(50)}2`,
    ];
    const numbers = branches.map((name) => buildNumber("/nowhere", branch(name)));
    expect(new Set(numbers).size).toBe(branches.length);
  });

  test.each(["20261122.3", "1.0.0-rc_1", "7", "a".repeat(63)])("%s is a build number", (value) => {
    expect(buildNumber("/nowhere", { BUILD_BUILDNUMBER: value })).toBe(value);
  });

  test("an empty variable is none", () => {
    const { api, first } = repository();
    expect(buildNumber(api, { GITHUB_RUN_NUMBER: "" })).toBe(first);
  });

  test.each(["release 7", "feature/x", "-7", "7-", "a".repeat(64)])(
    "%j is refused: neither a tag nor a label could hold it",
    (value) => {
      expect(() => buildNumber("/nowhere", { BUILD_BUILDNUMBER: value })).toThrow(
        new InputError({
          key: "BUILD_BUILDNUMBER (Azure Pipelines)",
          value,
          rule: "must be a build number that an image tag can hold: at most 63 letters, digits, dots, dashes and underscores, beginning and ending with a letter or digit",
        }),
      );
    },
  );
});
