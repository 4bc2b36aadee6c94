import { azureDevOps } from "./azureDevOps.ts";
import { bitbucket } from "./bitbucket.ts";
import { github } from "./github.ts";
import { gitlab } from "./gitlab.ts";

/** A comment of a pull request, as far as one looks for one's own. */
export interface Comment {
  readonly id: string;
  readonly body: string;
}

/** The comments of one pull request, by a system's REST API. */
export interface PullRequest {
  /** For people: `GitHub pull request 17`. */
  readonly name: string;
  readonly list: () => Promise<readonly Comment[]>;
  readonly create: (body: string) => Promise<void>;
  readonly update: (id: string, body: string) => Promise<void>;
}

/** Each gives the pull request that this run is for, where it is that system's and may be commented. */
const systems: readonly ((env: NodeJS.ProcessEnv) => PullRequest | undefined)[] = [
  github,
  gitlab,
  azureDevOps,
  bitbucket,
];

/** What every system takes, cut to be sure: the strictest of them takes 32768 characters. */
const longest = 30_000;

/** Seen by nobody: a link definition, which no Markdown renders. */
function marker(topic: string): string {
  return `[//]: # "slipway:${topic}"`;
}

function shortened(body: string): string {
  if (body.length <= longest) return body;
  const fences = body.slice(0, longest).split("```").length - 1;
  return `${body.slice(0, longest)}\n${fences % 2 === 1 ? "```\n" : ""}\n… cut: the job's log has all of it.`;
}

/**
 * Comments on the pull request that this run is for: the comment of the same topic is updated, so there is one.
 *
 * @returns what happened, for people. A comment that cannot be made is no failure: the same is in the job's log
 */
export async function comment(
  topic: string,
  body: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<string> {
  const pullRequest = systems.map((system) => system(env)).find((found) => found !== undefined);
  if (pullRequest === undefined) return "no pull request, or no token to comment on it";
  const text = `${marker(topic)}\n\n${shortened(body)}`;
  try {
    const own = (await pullRequest.list()).find((found) => found.body.includes(marker(topic)));
    if (own === undefined) await pullRequest.create(text);
    else if (own.body.trim() !== text.trim()) await pullRequest.update(own.id, text);
    return `${pullRequest.name}: comment ${own === undefined ? "made" : "updated"}`;
  } catch (error) {
    return `${pullRequest.name}: not commented (${error instanceof Error ? error.message : String(error)})`;
  }
}
