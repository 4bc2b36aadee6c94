import type { Cluster, KubeObject } from "../../infra/cluster/cluster.ts";
import { trackingAnnotation } from "../../infra/gitops/argocd/names.ts";
import { keepOnDestroy, ownerLabel, ownerLabelName, stackLabels } from "../../infra/workloads/labels.ts";

/** Every kind that the program can put into a namespace, where it is delivered directly. A test keeps this complete. */
export const prunedKinds: readonly (readonly [apiVersion: string, kind: string])[] = [
  ["autoscaling/v2", "HorizontalPodAutoscaler"],
  ["apps/v1", "Deployment"],
  ["argoproj.io/v1alpha1", "Rollout"],
  ["argoproj.io/v1alpha1", "AnalysisTemplate"],
  ["batch/v1", "Job"],
  ["apps/v1", "StatefulSet"],
  ["policy/v1", "PodDisruptionBudget"],
  ["v1", "Service"],
  ["networking.k8s.io/v1", "NetworkPolicy"],
  ["v1", "ConfigMap"],
  ["v1", "Secret"],
  ["v1", "PersistentVolumeClaim"],
  ["v1", "ServiceAccount"],
  ["rbac.authorization.k8s.io/v1", "RoleBinding"],
  ["rbac.authorization.k8s.io/v1", "Role"],
  ["v1", "ResourceQuota"],
  ["v1", "LimitRange"],
  ["monitoring.coreos.com/v1", "ServiceMonitor"],
  ["monitoring.coreos.com/v1", "PrometheusRule"],
];

function key({ kind, metadata }: KubeObject): string {
  return `${kind}/${metadata.namespace ?? ""}/${metadata.name}`;
}

/** Kinds outside any namespace that the program can put into a cluster besides namespaces, for controllers. */
const clusterKinds = [
  ["rbac.authorization.k8s.io/v1", "ClusterRoleBinding"],
  ["rbac.authorization.k8s.io/v1", "ClusterRole"],
  ["apiextensions.k8s.io/v1", "CustomResourceDefinition"],
] as const;

/** Whether Argo CD has it among the objects that it syncs, and deletes it when it leaves the repository. */
function isSynced({ metadata }: KubeObject): boolean {
  return trackingAnnotation in ((metadata.annotations ?? {}) as object);
}

/** Whether a namespace is a controller's, in which its release's objects have labels of their own. */
function isController({ labels }: KubeObject["metadata"]): boolean {
  return ownerLabelName in ((labels ?? {}) as object);
}

/** Whether an object outlives its stack: a volume with data, and what it takes to use it. */
function isKept({ metadata }: KubeObject): boolean {
  const annotations = (metadata.annotations ?? {}) as { readonly [name: string]: string };
  return Object.entries(keepOnDestroy).every(([name, value]) => annotations[name] === value);
}

export interface PruneOptions {
  readonly project: string;
  readonly stack: string;
  /** The objects that this run committed rather than applied; absent where it committed none. */
  readonly released?: readonly KubeObject[] | undefined;
}

/**
 * Deletes what an earlier run of the same stack applied and this one did not, but for what is to outlive the stack.
 *
 * @param applied all objects of this run
 * @returns what was deleted
 */
export async function prune(
  cluster: Cluster,
  applied: readonly KubeObject[],
  { project, stack, released }: PruneOptions,
): Promise<KubeObject[]> {
  const labels = stackLabels({ project, stack });
  const kept = new Set([...applied, ...(released ?? [])].map(key));
  const namespaces = await cluster.list("v1", "Namespace", labels);
  const left = namespaces.filter((namespace) => !kept.has(key(namespace)) && !isKept(namespace));
  const stays = namespaces.filter((namespace) => kept.has(key(namespace)) || isKept(namespace));
  const owner = ownerLabel({ project, stack });
  const found = await Promise.all([
    ...stays.flatMap(({ metadata }) =>
      // What the stack itself puts into a controller's namespace has the stack's labels there too.
      (isController(metadata) ? [labels, owner] : [labels]).flatMap((selector) =>
        prunedKinds.map(([apiVersion, kind]) => cluster.list(apiVersion, kind, selector, metadata.name)),
      ),
    ),
    ...clusterKinds.map(([apiVersion, kind]) => cluster.list(apiVersion, kind, owner)),
  ]);
  const gone = [
    ...found
      .flat()
      .filter(
        (object) =>
          !kept.has(key(object)) && !isKept(object) && !(released !== undefined && isSynced(object)),
      ),
    ...left,
  ];
  for (const object of gone) await cluster.delete(object);
  return gone;
}
