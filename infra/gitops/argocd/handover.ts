import { setTimeout as sleep } from "node:timers/promises";
import type { Cluster, KubeObject } from "../../../local/deliver/cluster.ts";
import { argocdFieldManager, argocdNamespace, trackingAnnotation } from "./names.ts";
import { type ApplicationStatus, type ResourceStatus, statusOf } from "./status.ts";
import { applicationOf } from "./sync.ts";

interface ManagedFields {
  readonly manager?: string;
  readonly subresource?: string;
}

/** Push delivery's own field managers: directly, and by Pulumi, which adds some digits. */
const pushManagers = /^(slipway|pulumi-kubernetes(-.*)?)$/;

/**
 * Makes an object forget who set its fields before: a field that leaves the definition would stay for ever if its
 * former owner still held it. The fields themselves do not change, so no pod is restarted.
 *
 * @param heirOf who takes a manager's fields over: itself, another, or nobody
 */
async function forget(
  cluster: Cluster,
  { group, version, kind, namespace, name }: ResourceStatus,
  heirOf: (manager: string) => string | undefined,
  annotations?: { readonly [name: string]: null },
): Promise<void> {
  const apiVersion = group ? `${group}/${version}` : (version ?? "v1");
  const live = await cluster.read({
    apiVersion,
    kind,
    metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
  });
  if (live === undefined) return;
  const managedFields = (live.metadata.managedFields ?? []) as unknown as readonly ManagedFields[];
  const kept = managedFields.flatMap((fields) => {
    const heir = fields.subresource === undefined ? heirOf(fields.manager ?? "") : fields.manager;
    return heir === undefined ? [] : [{ ...fields, manager: heir }];
  });
  if (JSON.stringify(kept) === JSON.stringify(managedFields)) return;
  await cluster.merge({
    apiVersion,
    kind,
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      resourceVersion: live.metadata.resourceVersion,
      managedFields: kept,
      ...(annotations === undefined ? {} : { annotations }),
    },
  });
}

/** Ends push delivery's ownership of the objects of an Application that Argo CD has synced for the first time. */
export async function takeFromPush(cluster: Cluster, status: ApplicationStatus): Promise<void> {
  if ((status.history?.length ?? 0) > 1) return;
  for (const resource of status.resources ?? [])
    await forget(cluster, resource, (manager) => (pushManagers.test(manager) ? undefined : manager));
}

/**
 * Ends Argo CD's ownership of a stack's workloads, and leaves every one of them running as it is. Does nothing where
 * there is no Application.
 *
 * @returns whether there was one
 */
export async function takeFromArgocd(cluster: Cluster, namespace: string): Promise<boolean> {
  const application = applicationOf(namespace);
  const live = await cluster.read(application);
  if (live === undefined) return false;
  // A finalizer that somebody added would delete the workloads.
  await cluster.merge({
    ...application,
    metadata: { ...application.metadata, finalizers: null },
  } as KubeObject);
  await cluster.delete(application);
  while ((await cluster.read(application)) !== undefined) await sleep(100);
  // An object whose fields nobody holds would get an owner for ever by the next apply.
  for (const resource of statusOf(live).resources ?? [])
    await forget(cluster, resource, (manager) => (manager === argocdFieldManager ? "slipway" : manager), {
      [trackingAnnotation]: null,
    });
  for (const [apiVersion, kind, name] of [
    [application.apiVersion, "AppProject", application.metadata.name],
    ["v1", "Secret", repositorySecretName(namespace)],
  ] as const)
    await cluster.delete({ apiVersion, kind, metadata: { name, namespace: argocdNamespace } });
  return true;
}

/** Name of the Secret with a stack's credentials for its repository. */
export function repositorySecretName(namespace: string): string {
  return `repository-${namespace}`.slice(0, 253);
}
