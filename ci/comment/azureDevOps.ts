import type { PullRequest } from "./index.ts";
import { rest } from "./rest.ts";

interface Thread {
  readonly id: number;
  readonly isDeleted?: boolean;
  readonly comments: readonly { readonly id: number; readonly content?: string }[];
}

const version = "api-version=7.1";

/** SYSTEM_ACCESSTOKEN, handed to the step; the build service may contribute to pull requests. */
export function azureDevOps(env: NodeJS.ProcessEnv): PullRequest | undefined {
  const {
    SYSTEM_COLLECTIONURI: collection,
    SYSTEM_TEAMPROJECT: project,
    BUILD_REPOSITORY_ID: repository,
    SYSTEM_PULLREQUEST_PULLREQUESTID: number,
    SYSTEM_ACCESSTOKEN: token,
  } = env;
  if (!collection || !project || !repository || !number || !token) return undefined;
  const threads = `${collection.replace(/\/$/, "")}/${encodeURIComponent(project)}/_apis/git/repositories/${repository}/pullRequests/${number}/threads`;
  const headers = { authorization: `Bearer ${token}` };
  return {
    name: `Azure DevOps pull request ${number}`,
    list: async () => {
      const { value } = await rest<{ value: Thread[] }>(`${threads}?${version}`, { headers });
      return value
        .filter(({ isDeleted }) => isDeleted !== true)
        .flatMap(({ id, comments: [first] }) =>
          first === undefined ? [] : [{ id: `${id}/comments/${first.id}`, body: first.content ?? "" }],
        );
    },
    create: async (content) => {
      const body = { comments: [{ parentCommentId: 0, commentType: "text", content }], status: "closed" };
      await rest(`${threads}?${version}`, { method: "POST", headers, body });
    },
    update: async (id, content) => {
      await rest(`${threads}/${id}?${version}`, { method: "PATCH", headers, body: { content } });
    },
  };
}
