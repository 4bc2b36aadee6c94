import * as pulumi from "@pulumi/pulumi";
import type { GitCredentials } from "../git.ts";
import type { ApplicationArgs } from "./application.ts";
import { repositorySecretName } from "./handover.ts";
import { applicationName, applicationSetName, argocdNamespace } from "./names.ts";

/**
 * By what Argo CD reads a repository.
 *
 * @param project the only one that may use it; absent: what makes Applications of a whole repository
 */
function secretOf(
  name: string,
  { labels, url, project }: Pick<ApplicationArgs, "labels" | "url"> & { readonly project?: string },
  credentials: GitCredentials,
) {
  const values = {
    type: "git",
    url,
    ...(project === undefined ? {} : { project }),
    ...(credentials.kind === "ssh"
      ? { sshPrivateKey: credentials.key }
      : { username: credentials.username, password: credentials.token }),
  };
  const data = Object.entries(values).map(([key, value]) => [key, Buffer.from(value).toString("base64")]);
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: {
      name,
      namespace: argocdNamespace,
      labels: { ...labels, "argocd.argoproj.io/secret-type": "repository" },
    },
    data: pulumi.secret(Object.fromEntries(data) as Record<string, string>),
  };
}

/** By what Argo CD reads the stack's repository: for this stack's project alone. */
export function repositorySecret(
  { namespace, labels, url }: Pick<ApplicationArgs, "namespace" | "labels" | "url">,
  credentials: GitCredentials,
) {
  const project = applicationName(namespace);
  return secretOf(repositorySecretName(namespace), { labels, url, project }, credentials);
}

/** By what the ApplicationSet reads it, which belongs to no project. */
export function applicationSetSecret(
  place: Pick<ApplicationArgs, "labels" | "url">,
  credentials: GitCredentials,
) {
  return secretOf(`applicationset-${applicationSetName}`, place, credentials);
}
