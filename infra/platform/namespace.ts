import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { stackLabels } from "../workloads/labels.ts";
import type { Platform } from "./platform.ts";

/** Name of the registry pull secret in every namespace. */
export const pullSecretName = "registry-pull";

export interface StackNamespaceArgs {
  /** Name of the namespace in the cluster, a DNS label. */
  readonly namespace: string;
  /** Project and stack, for the recommended labels. */
  readonly project: string;
  readonly stack: string;
  readonly registry: Platform["registry"];
}

/** What Docker keeps in config.json, and the kubelet pulls by. */
function dockerConfigJson(server: string, username: string, password: string): string {
  const auth = Buffer.from(`${username}:${password}`).toString("base64");
  return JSON.stringify({ auths: { [server]: { username, password, auth } } });
}

/**
 * The stack's namespace: Pod Security `restricted`, and the registry pull secret, equal to the registry's
 * current credentials after every run.
 */
export class StackNamespace extends pulumi.ComponentResource {
  /** The namespace's name, known once it exists. */
  readonly namespace: pulumi.Output<string>;
  /** Name of the pull secret, where the registry needs one. */
  readonly pullSecret: pulumi.Output<string> | undefined;

  constructor(
    name: string,
    { namespace, project, stack, registry }: StackNamespaceArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("slipway:platform:StackNamespace", name, {}, opts);
    const labels = stackLabels({ project, stack });
    const created = new kubernetes.core.v1.Namespace(
      `${name}-namespace`,
      {
        metadata: {
          name: namespace,
          labels: {
            ...labels,
            "pod-security.kubernetes.io/enforce": "restricted",
            "pod-security.kubernetes.io/warn": "restricted",
            "pod-security.kubernetes.io/audit": "restricted",
          },
        },
      },
      { parent: this },
    );
    this.namespace = created.metadata.name;
    if (registry.pull !== undefined) {
      const json = pulumi
        .all([registry.server, registry.pull.username, registry.pull.password])
        .apply(([server, username, password]) => dockerConfigJson(server, username, password));
      const secret = new kubernetes.core.v1.Secret(
        `${name}-${pullSecretName}`,
        {
          metadata: { name: pullSecretName, namespace: this.namespace, labels },
          type: "kubernetes.io/dockerconfigjson",
          data: {
            ".dockerconfigjson": pulumi.secret(json.apply((text) => Buffer.from(text).toString("base64"))),
          },
        },
        { parent: this },
      );
      this.pullSecret = secret.metadata.name;
    }
    this.registerOutputs({ namespace: this.namespace, pullSecret: this.pullSecret });
  }
}
