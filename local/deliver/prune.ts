import type { Cluster, KubeObject } from "./cluster.ts";

/** Every kind that the program can put into a namespace. The test of the push delivery keeps this complete. */
export const prunedKinds: readonly (readonly [apiVersion: string, kind: string])[] = [
  ["autoscaling/v2", "HorizontalPodAutoscaler"],
  ["apps/v1", "Deployment"],
  ["policy/v1", "PodDisruptionBudget"],
  ["v1", "Service"],
  ["networking.k8s.io/v1", "NetworkPolicy"],
  ["v1", "ConfigMap"],
  ["v1", "Secret"],
  ["v1", "ServiceAccount"],
  ["rbac.authorization.k8s.io/v1", "RoleBinding"],
  ["v1", "ResourceQuota"],
  ["v1", "LimitRange"],
];

function key({ kind, metadata }: KubeObject): string {
  return `${kind}/${metadata.namespace ?? ""}/${metadata.name}`;
}

/**
 * Deletes what an earlier run of the same stack applied and this one did not.
 *
 * @param applied all objects of this run
 * @param labels the labels that every object of the stack carries, and no other object does
 * @returns what was deleted
 */
export async function prune(
  cluster: Cluster,
  applied: readonly KubeObject[],
  labels: { readonly [key: string]: string },
): Promise<KubeObject[]> {
  const kept = new Set(applied.map(key));
  const namespaces = await cluster.list("v1", "Namespace", labels);
  const left = namespaces.filter((namespace) => !kept.has(key(namespace)));
  const stays = namespaces.filter((namespace) => kept.has(key(namespace)));
  const found = await Promise.all(
    stays.flatMap(({ metadata: { name } }) =>
      prunedKinds.map(([apiVersion, kind]) => cluster.list(apiVersion, kind, labels, name)),
    ),
  );
  const gone = [...found.flat().filter((object) => !kept.has(key(object))), ...left];
  for (const object of gone) await cluster.delete(object);
  return gone;
}
