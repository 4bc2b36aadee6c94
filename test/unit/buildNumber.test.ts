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
