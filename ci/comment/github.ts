import { existsSync, readFileSync } from "node:fs";
import type { PullRequest } from "./index.ts";
import { pages, rest } from "./rest.ts";

/** The pull request that a run on GitHub Actions is for, by its event: the ref of one that was merged is its target. */
function eventNumber({ GITHUB_EVENT_PATH: path }: NodeJS.ProcessEnv): string | undefined {
  if (path === undefined || path === "" || !existsSync(path)) return undefined;
  const event = JSON.parse(readFileSync(path, "utf8")) as {
    readonly pull_request?: { readonly number: number };
  };
  return event.pull_request?.number.toString();
}

/** Of a run on GitHub Actions, or of Jenkins for a repository on GitHub. */
function location(env: NodeJS.ProcessEnv): { repository: string; number: string } | undefined {
  const own = eventNumber(env) ?? /^refs\/pull\/(\d+)\//.exec(env.GITHUB_REF ?? "")?.[1];
  if (env.GITHUB_REPOSITORY && own !== undefined) return { repository: env.GITHUB_REPOSITORY, number: own };
  const [, repository, number] = /github\.com\/([^/]+\/[^/]+)\/pull\/(\d+)/.exec(env.CHANGE_URL ?? "") ?? [];
  return repository === undefined || number === undefined ? undefined : { repository, number };
}

/** GITHUB_TOKEN may comment: permission `pull-requests: write`. */
export function github(env: NodeJS.ProcessEnv): PullRequest | undefined {
  const at = location(env);
  const token = env.GITHUB_TOKEN;
  if (at === undefined || !token) return undefined;
  const comments = `${env.GITHUB_API_URL ?? "https://api.github.com"}/repos/${at.repository}/issues`;
  const headers = { authorization: `Bearer ${token}`, accept: "application/vnd.github+json" };
  return {
    name: `GitHub pull request ${at.number}`,
    list: async () =>
      (
        await pages(100, (page) =>
          rest<{ id: number; body?: string }[]>(
            `${comments}/${at.number}/comments?per_page=100&page=${page}`,
            { headers },
          ),
        )
      ).map(({ id, body }) => ({ id: String(id), body: body ?? "" })),
    create: async (body) => {
      await rest(`${comments}/${at.number}/comments`, { method: "POST", headers, body: { body } });
    },
    update: async (id, body) => {
      await rest(`${comments}/comments/${id}`, { method: "PATCH", headers, body: { body } });
    },
  };
}
