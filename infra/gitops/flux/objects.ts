import * as pulumi from "@pulumi/pulumi";
import type { RenderableObject } from "../../delivery/manifest.ts";
import { beforeMigration } from "../../delivery/syncWaves.ts";
import type { GitCredentials } from "../git.ts";
import { fluxName, fluxNamespace, kustomizeApiVersion, migrationsName, sourceApiVersion } from "./names.ts";

/** API group and resource of each kind that is rendered: Flux may manage these in the stack's namespace, and nothing else. */
const resources: { readonly [kind in RenderableObject["kind"]]: readonly [group: string, resource: string] } =
  {
    ServiceAccount: ["", "serviceaccounts"],
    ConfigMap: ["", "configmaps"],
    NetworkPolicy: ["networking.k8s.io", "networkpolicies"],
    Service: ["", "services"],
    Ingress: ["networking.k8s.io", "ingresses"],
    PodDisruptionBudget: ["policy", "poddisruptionbudgets"],
    Deployment: ["apps", "deployments"],
    AnalysisTemplate: ["argoproj.io", "analysistemplates"],
    Rollout: ["argoproj.io", "rollouts"],
    Job: ["batch", "jobs"],
    HorizontalPodAutoscaler: ["autoscaling", "horizontalpodautoscalers"],
    SecretProviderClass: ["secrets-store.csi.x-k8s.io", "secretproviderclasses"],
  };

const read = ["get", "list", "watch"];

export interface FluxSource {
  /** Namespace of the stack's workloads. */
  readonly namespace: string;
  readonly labels: { readonly [key: string]: string };
  /** URL at which the cluster reads the repository. */
  readonly url: string;
  readonly branch: string;
  /** The stack's folder in it. */
  readonly folder: string;
  /** How long its pods may take to get ready. */
  readonly timeoutSeconds: number;
  /** Whether a workload has a migration. */
  readonly migrates: boolean;
}

function metadata({ namespace, labels }: FluxSource) {
  return { name: fluxName(namespace), namespace: fluxNamespace, labels };
}

function credentialsName(namespace: string): string {
  return `repository-${namespace}`;
}

/** Flux takes URLs only: git's short form `git@host:path` is one by SSH. */
function fluxUrl(url: string): string {
  return url.includes("://") ? url : `ssh://${url.replace(":", "/")}`;
}

/** By what Flux reads the stack's repository; with a key, the server's host keys are pinned beside it. */
export function credentialsSecret(source: FluxSource, credentials: GitCredentials) {
  const withEnd = (text: string) => (text.endsWith("\n") ? text : `${text}\n`);
  const values: { readonly [key: string]: string } =
    credentials.kind === "ssh"
      ? { identity: withEnd(credentials.key), known_hosts: withEnd(credentials.knownHosts) }
      : { username: credentials.username, password: credentials.token };
  const data = Object.entries(values).map(([key, value]) => [key, Buffer.from(value).toString("base64")]);
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { ...metadata(source), name: credentialsName(source.namespace) },
    data: pulumi.secret(Object.fromEntries(data) as Record<string, string>),
  };
}

/** The branch that is followed. */
export function gitRepository(source: FluxSource) {
  const { namespace, url, branch } = source;
  return {
    apiVersion: sourceApiVersion,
    kind: "GitRepository",
    metadata: metadata(source),
    spec: {
      url: fluxUrl(url),
      ref: { branch },
      // For commits that the program did not make: its own it announces.
      interval: "1m",
      timeout: "60s",
      secretRef: { name: credentialsName(namespace) },
    },
  };
}

/** Who Flux is for this stack, and what it may do: the rendered kinds, in the stack's namespace. */
export function permissions(source: FluxSource) {
  const { namespace, labels } = source;
  const own = { name: `flux-${namespace}`.slice(0, 63), namespace, labels };
  return {
    account: { apiVersion: "v1", kind: "ServiceAccount", metadata: metadata(source) },
    role: {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "Role",
      metadata: own,
      rules: [
        ...Object.values(resources).map(([group, resource]) => ({
          apiGroups: [group],
          resources: [resource],
          verbs: [...read, "create", "update", "patch", "delete"],
        })),
        // By what they come to, Flux tells whether a Deployment is healthy.
        { apiGroups: ["apps"], resources: ["replicasets"], verbs: read },
        { apiGroups: [""], resources: ["pods"], verbs: read },
      ],
    },
    binding: {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "RoleBinding",
      metadata: own,
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: own.name },
      subjects: [{ kind: "ServiceAccount", name: fluxName(namespace), namespace: fluxNamespace }],
    },
  };
}

/** Leaves objects of these kinds out of what a Kustomization makes of its folder. */
function without(kinds: readonly string[]) {
  return {
    target: { kind: `(${kinds.join("|")})` },
    // Of which object is for the target to say.
    patch: "$patch: delete\napiVersion: v1\nkind: any\nmetadata:\n  name: any\n",
  };
}

function kustomizationOf({ namespace, labels, folder, timeoutSeconds }: FluxSource, name: string) {
  return {
    apiVersion: kustomizeApiVersion,
    kind: "Kustomization",
    metadata: { name, namespace: fluxNamespace, labels },
    spec: {
      sourceRef: { kind: "GitRepository", name: fluxName(namespace) },
      path: `./${folder}`,
      targetNamespace: namespace,
      serviceAccountName: fluxName(namespace),
      interval: "30s",
      retryInterval: "5s",
      timeout: `${timeoutSeconds}s`,
      prune: true,
      wait: true,
      deletionPolicy: "Orphan",
    },
  };
}

/** Kinds that are synced before everything else where a workload has a migration. */
const early: readonly string[] = [...beforeMigration, "Job"];

/**
 * The stack's workloads as Flux syncs them: what is not in the repository is deleted, what is changed by hand is
 * changed back at the next interval. Deleting one leaves the workloads running. Within a Kustomization everything is
 * applied at once, so migrations have one of their own, which the other waits for.
 *
 * @returns in the order in which they are synced
 */
export function kustomizations(source: FluxSource) {
  const { namespace, migrates } = source;
  const sync = kustomizationOf(source, fluxName(namespace));
  if (!migrates) return [sync];
  const migrations = kustomizationOf(source, migrationsName(namespace));
  const late = Object.keys(resources).filter((kind) => !early.includes(kind));
  return [
    { ...migrations, spec: { ...migrations.spec, patches: [without(late)] } },
    {
      ...sync,
      spec: { ...sync.spec, dependsOn: [{ name: migrations.metadata.name }], patches: [without(early)] },
    },
  ];
}
