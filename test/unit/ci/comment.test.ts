import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { comment } from "../../../ci/comment/index.ts";
import { temporaryDirectory } from "../../support/temporary.ts";

interface Call {
  readonly method: string;
  readonly url: string;
  readonly body: string;
  readonly headers: Record<string, string>;
}

let calls: Call[];
let listing: unknown;
let status: number;

beforeEach(() => {
  calls = [];
  status = 200;
  vi.stubGlobal(
    "fetch",
    async (url: string, init: { method?: string; body?: string; headers: Record<string, string> }) => {
      calls.push({ method: init.method ?? "GET", url, body: init.body ?? "", headers: init.headers });
      return new Response(JSON.stringify(init.method === "GET" || init.method === undefined ? listing : {}), {
        status,
      });
    },
  );
});

afterEach(() => vi.unstubAllGlobals());

const own = '[//]: # "slipway:preview"\n\nold';
const systems = {
  GitHub: {
    env: { GITHUB_REPOSITORY: "team/shop", GITHUB_REF: "refs/pull/17/merge", GITHUB_TOKEN: "t0ken" },
    listing: (body: string) => [
      { id: 1, body: "hello" },
      { id: 5, body },
    ],
    create: "POST https://api.github.com/repos/team/shop/issues/17/comments",
    update: "PATCH https://api.github.com/repos/team/shop/issues/comments/5",
  },
  "Jenkins, for GitHub": {
    env: { CHANGE_URL: "https://github.com/team/shop/pull/17", GITHUB_TOKEN: "t0ken" },
    listing: (body: string) => [{ id: 5, body }],
    create: "POST https://api.github.com/repos/team/shop/issues/17/comments",
    update: "PATCH https://api.github.com/repos/team/shop/issues/comments/5",
  },
  GitLab: {
    env: {
      CI_API_V4_URL: "https://gitlab.example/api/v4",
      CI_PROJECT_ID: "3",
      CI_MERGE_REQUEST_IID: "17",
      GITLAB_TOKEN: "t0ken",
    },
    listing: (body: string) => [{ id: 5, body }],
    create: "POST https://gitlab.example/api/v4/projects/3/merge_requests/17/notes",
    update: "PUT https://gitlab.example/api/v4/projects/3/merge_requests/17/notes/5",
  },
  "Azure DevOps": {
    env: {
      SYSTEM_COLLECTIONURI: "https://dev.azure.com/org/",
      SYSTEM_TEAMPROJECT: "Team Shop",
      BUILD_REPOSITORY_ID: "r",
      SYSTEM_PULLREQUEST_PULLREQUESTID: "17",
      SYSTEM_ACCESSTOKEN: "t0ken",
    },
    listing: (body: string) => ({
      value: [
        { id: 4, isDeleted: true, comments: [{ id: 1, content: own }] },
        { id: 5, comments: [{ id: 1, content: body }] },
      ],
    }),
    create:
      "POST https://dev.azure.com/org/Team%20Shop/_apis/git/repositories/r/pullRequests/17/threads?api-version=7.1",
    update:
      "PATCH https://dev.azure.com/org/Team%20Shop/_apis/git/repositories/r/pullRequests/17/threads/5/comments/1?api-version=7.1",
  },
  Bitbucket: {
    env: { BITBUCKET_REPO_FULL_NAME: "team/shop", BITBUCKET_PR_ID: "17", BITBUCKET_TOKEN: "t0ken" },
    listing: (body: string) => ({
      values: [
        { id: 4, deleted: true, content: { raw: own } },
        { id: 5, content: { raw: body } },
      ],
    }),
    create: "POST https://api.bitbucket.org/2.0/repositories/team/shop/pullrequests/17/comments",
    update: "PUT https://api.bitbucket.org/2.0/repositories/team/shop/pullrequests/17/comments/5",
  },
};

describe.each(Object.entries(systems))("%s", (_, { env, listing: listed, create, update }) => {
  const writes = () =>
    calls.filter(({ method }) => method !== "GET").map(({ method, url }) => `${method} ${url}`);

  test("a first comment is made", async () => {
    listing = listed("of somebody else");
    expect(await comment("preview", "new", env)).toMatch(/17: comment made$/);
    expect(writes()).toEqual([create]);
    expect(calls.at(-1)?.body).toContain("new");
  });

  test("the next one updates it", async () => {
    listing = listed(own);
    expect(await comment("preview", "new", env)).toMatch(/17: comment updated$/);
    expect(writes()).toEqual([update]);
  });

  test("one of another topic is left alone", async () => {
    listing = listed(own);
    await comment("ephemeral", "new", env);
    expect(writes()).toEqual([create]);
  });

  test("the same text again writes nothing", async () => {
    listing = listed('[//]: # "slipway:preview"\n\nnew\n');
    await comment("preview", "new", env);
    expect(writes()).toEqual([]);
  });

  test("a token that may not comment is no failure, and is not shown", async () => {
    listing = listed("");
    status = 403;
    const said = await comment("preview", "new", env);
    expect(said).toMatch(/not commented \(HTTP 403 to GET /);
    expect(said).not.toContain("t0ken");
  });

  test("without its token nothing is asked", async () => {
    const token = Object.keys(env).find((name) => name.endsWith("TOKEN")) as string;
    expect(await comment("preview", "new", { ...env, [token]: "" })).toBe(
      "no pull request, or no token to comment on it",
    );
    expect(calls).toEqual([]);
  });
});

describe("a run on GitHub comments on", () => {
  const on = async (event: unknown, ref: string) => {
    listing = [];
    const path = join(temporaryDirectory({ "event.json": JSON.stringify(event) }), "event.json");
    await comment("ephemeral", "gone", { ...systems.GitHub.env, GITHUB_REF: ref, GITHUB_EVENT_PATH: path });
    return calls.at(-1)?.url;
  };

  test("the pull request of its event, also when that was merged and the ref is the main branch's", async () => {
    const event = { action: "closed", pull_request: { number: 17, merged: true } };
    expect(await on(event, "refs/heads/main")).toMatch(/\/issues\/17\/comments$/);
  });

  test("none where its event is of none", async () => {
    expect(await on({ ref: "refs/heads/main" }, "refs/heads/main")).toBeUndefined();
  });
});

test("a text that no system takes is cut, with its code block closed", async () => {
  listing = [];
  await comment("preview", `\`\`\`diff\n${"+ line\n".repeat(10_000)}`, systems.GitHub.env);
  const { body } = JSON.parse(calls.at(-1)?.body as string) as { body: string };
  expect(body.length).toBeLessThan(32_768);
  expect(body.split("```").length % 2).toBe(1);
  expect(body).toContain("the job's log has all of it");
});
