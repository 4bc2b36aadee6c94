import type { PullRequest } from "./index.ts";
import { pages, rest } from "./rest.ts";

/** BITBUCKET_TOKEN: a repository access token with the scope `pullrequest:write`. */
export function bitbucket(env: NodeJS.ProcessEnv): PullRequest | undefined {
  const { BITBUCKET_REPO_FULL_NAME: repository, BITBUCKET_PR_ID: number, BITBUCKET_TOKEN: token } = env;
  if (!repository || !number || !token) return undefined;
  const comments = `https://api.bitbucket.org/2.0/repositories/${repository}/pullrequests/${number}/comments`;
  const headers = { authorization: `Bearer ${token}` };
  return {
    name: `Bitbucket pull request ${number}`,
    list: async () =>
      (
        await pages(
          100,
          async (page) =>
            (
              await rest<{ values: { id: number; deleted?: boolean; content: { raw: string } }[] }>(
                `${comments}?pagelen=100&page=${page}`,
                { headers },
              )
            ).values,
        )
      )
        .filter(({ deleted }) => deleted !== true)
        .map(({ id, content }) => ({ id: String(id), body: content.raw })),
    create: async (raw) => {
      await rest(comments, { method: "POST", headers, body: { content: { raw } } });
    },
    update: async (id, raw) => {
      await rest(`${comments}/${id}`, { method: "PUT", headers, body: { content: { raw } } });
    },
  };
}
