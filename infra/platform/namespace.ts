import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { Quota } from "../config/tenancy.ts";
import { keepOnDestroy, stackLabels } from "../workloads/labels.ts";
import type { Platform } from "./platform.ts";
import { pullSecretName } from "./pullSecret.ts";

export interface StackNamespaceArgs {
  /** Name of the namespace in the cluster, a DNS label. */
  readonly namespace: string;
  /** Project and stack, for the recommended labels. */
  readonly project: string;
  readonly stack: string;
  readonly registry: Platform["registry"];
  /** What all pods of the namespace may take together. */
  readonly quota?: Quota | undefined;
  /** Whether it outlives the stack, for what is in it. */
  readonly keep?: boolean;
  /** Groups that may deploy to the namespace and nowhere else. */
  readonly deployers?: readonly string[];
  /** When the stack may be destroyed, for those who look at the cluster. */
  readonly expires?: string | undefined;
}

/** What Docker keeps in config.json, and the kubelet pulls by. */
function dockerConfigJson(server: string, username: string, password: string): string {
  const auth = Buffer.from(`${username}:${password}`).toString("base64");
  return JSON.stringify({ auths: { [server]: { username, password, auth } } });
}

/**
 * The stack's namespace: Pod Security `restricted`, no traffic but what the workloads' own policies let through, the
 * registry pull secret, equal to the registry's current credentials after every run, and, where the stack's
 * configuration has them, a quota and the groups that may deploy.
 */
export class StackNamespace extends pulumi.ComponentResource {
  /** The namespace's name, known once it exists. */
  readonly namespace: pulumi.Output<string>;
  /** Name of the pull secret, where the registry needs one. */
  readonly pullSecret: pulumi.Output<string> | undefined;

  constructor(
    name: string,
    { namespace, project, stack, registry, quota, keep = false, deployers = [], expires }: StackNamespaceArgs,
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
          ...(keep || expires !== undefined
            ? {
                annotations: {
                  ...(expires === undefined ? {} : { "slipway.dev/expires": expires }),
                  ...(keep ? keepOnDestroy : {}),
                },
              }
            : {}),
        },
      },
      { parent: this, retainOnDelete: keep },
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
    new kubernetes.networking.v1.NetworkPolicy(
      `${name}-default-deny`,
      {
        metadata: { name: "default-deny", namespace: this.namespace, labels },
        spec: { podSelector: {}, policyTypes: ["Ingress", "Egress"] },
      },
      { parent: this },
    );
    if (quota !== undefined) this.#limit(name, quota, labels);
    if (deployers.length > 0) {
      new kubernetes.rbac.v1.RoleBinding(
        `${name}-deployers`,
        {
          metadata: { name: "deployers", namespace: this.namespace, labels },
          // Kubernetes' own role for those who deploy: everything in the namespace but its roles and quota.
          roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "edit" },
          subjects: deployers.map((group) => ({
            apiGroup: "rbac.authorization.k8s.io",
            kind: "Group",
            name: group,
          })),
        },
        { parent: this },
      );
    }
    this.registerOutputs({ namespace: this.namespace, pullSecret: this.pullSecret });
  }

  /** A quota, and the defaults without which it would refuse a container that names no resources. */
  #limit(name: string, quota: Quota, labels: { readonly [label: string]: string }): void {
    new kubernetes.core.v1.ResourceQuota(
      `${name}-quota`,
      {
        metadata: { name: "quota", namespace: this.namespace, labels },
        spec: {
          hard: { "requests.cpu": quota.cpu, "limits.memory": quota.memory, pods: String(quota.pods) },
        },
      },
      { parent: this },
    );
    new kubernetes.core.v1.LimitRange(
      `${name}-defaults`,
      {
        metadata: { name: "defaults", namespace: this.namespace, labels },
        spec: {
          limits: [
            {
              type: "Container",
              defaultRequest: { cpu: "50m", memory: "64Mi" },
              default: { memory: "256Mi" },
            },
          ],
        },
      },
      { parent: this },
    );
  }
}
