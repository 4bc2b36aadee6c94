import { readGitopsDescriptor } from "../../local/gitops/descriptor.ts";
import type { GitopsConfig } from "../config/delivery.ts";
import type { RepositoryConfig } from "../config/repository.ts";
import type { GitCredentials } from "./git.ts";

/** The manifests repository of a stack: who reads it where, and who writes. */
export interface ManifestsRepository {
  /** Where the cluster reads it. */
  readonly url: string;
  /** Where this program writes it. */
  readonly pushUrl: string;
  readonly branch: string;
  /** The stack's own folder. */
  readonly folder: string;
  /** Folder below which the stack's is, with a slash at its end; empty for the root. */
  readonly prefix: string;
  readonly push: GitCredentials;
  readonly pull: GitCredentials;
}

function credentials({ ssh, token }: RepositoryConfig, way: "push" | "pull"): GitCredentials {
  if (ssh !== undefined) return { kind: "ssh", key: ssh[`${way}Key`], knownHosts: ssh.knownHosts };
  if (token !== undefined) return { kind: "token", username: token.username, token: token[way] };
  throw new Error("the schema makes sure that a repository has credentials");
}

/**
 * The repository that a stack's configuration names, else the embedded environment's own.
 *
 * @throws Fault when that is not there
 */
export function manifestsRepository({ repository }: GitopsConfig, stack: string): ManifestsRepository {
  if (repository === undefined) {
    const { url, pushUrl, knownHosts, pushKey, pullKey } = readGitopsDescriptor().repository;
    const ssh = (key: string): GitCredentials => ({ kind: "ssh", key, knownHosts });
    return {
      url,
      pushUrl,
      branch: "main",
      folder: stack,
      prefix: "",
      push: ssh(pushKey),
      pull: ssh(pullKey),
    };
  }
  const prefix = repository.path === undefined ? "" : `${repository.path}/`;
  return {
    url: repository.url,
    pushUrl: repository.pushUrl ?? repository.url,
    branch: repository.branch,
    folder: `${prefix}${stack}`,
    prefix,
    push: credentials(repository, "push"),
    pull: credentials(repository, "pull"),
  };
}
