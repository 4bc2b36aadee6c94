import type { PullRequest } from "./index.ts";
import { pages, rest } from "./rest.ts";

/** GITLAB_TOKEN: a project access token with the scope `api`; a job's own token may not comment. */
export function gitlab(env: NodeJS.ProcessEnv): PullRequest | undefined {
  const {
    CI_API_V4_URL: api,
    CI_PROJECT_ID: project,
    CI_MERGE_REQUEST_IID: number,
    GITLAB_TOKEN: token,
  } = env;
  if (!api || !project || !number || !token) return undefined;
  const notes = `${api}/projects/${project}/merge_requests/${number}/notes`;
  const headers = { "private-token": token };
  return {
    name: `GitLab merge request ${number}`,
    list: async () =>
      (
        await pages(100, (page) =>
          rest<{ id: number; body: string }[]>(`${notes}?per_page=100&page=${page}`, { headers }),
        )
      ).map(({ id, body }) => ({ id: String(id), body })),
    create: async (body) => {
      await rest(notes, { method: "POST", headers, body: { body } });
    },
    update: async (id, body) => {
      await rest(`${notes}/${id}`, { method: "PUT", headers, body: { body } });
    },
  };
}
