import * as pulumi from "@pulumi/pulumi";
import type { GitCredentials } from "../git.ts";
import type { ApplicationArgs } from "./application.ts";
import { repositorySecretName } from "./handover.ts";
import { applicationName, argocdNamespace } from "./names.ts";

/** By what Argo CD reads the stack's repository: for this stack's project alone. */
export function repositorySecret({ namespace, labels, url }: ApplicationArgs, credentials: GitCredentials) {
  const values = {
    type: "git",
    url,
    project: applicationName(namespace),
    ...(credentials.kind === "ssh"
      ? { sshPrivateKey: credentials.key }
      : { username: credentials.username, password: credentials.token }),
  };
  const data = Object.entries(values).map(([key, value]) => [key, Buffer.from(value).toString("base64")]);
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: {
      name: repositorySecretName(namespace),
      namespace: argocdNamespace,
      labels: { ...labels, "argocd.argoproj.io/secret-type": "repository" },
    },
    data: pulumi.secret(Object.fromEntries(data) as Record<string, string>),
  };
}
