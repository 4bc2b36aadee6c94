import { setTimeout as sleep } from "node:timers/promises";
import { type Cluster, Conflict, type KubeObject, nameOf } from "../../cluster/cluster.ts";
import { argocdFieldManager, argocdNamespace, trackingAnnotation } from "./names.ts";
import { type ApplicationStatus, type ResourceStatus, statusOf } from "./status.ts";
import { applicationOf } from "./sync.ts";

interface ManagedFields {
  readonly manager?: string;
  readonly subresource?: string;
}

/** Milliseconds between two looks. */
const interval = 100;

/** Push delivery's own field managers: directly, and by Pulumi, which adds some digits. */
const pushManagers = /^(slipway|pulumi-kubernetes(-.*)?)$/;

/** Who takes a field manager's fields over: itself, another, or nobody. */
type HeirOf = (manager: string) => string | undefined;

function objectOf({ group, version, kind, namespace, name }: ResourceStatus): KubeObject {
  const apiVersion = group ? `${group}/${version}` : (version ?? "v1");
  return { apiVersion, kind, metadata: { name, ...(namespace === undefined ? {} : { namespace }) } };
}

function keyOf(object: KubeObject): string {
  return `${object.apiVersion} ${nameOf(object)}`;
}

/** The field managers that an object should have; nothing when it has them. */
function inherited({ metadata }: KubeObject, heirOf: HeirOf): readonly ManagedFields[] | undefined {
  const managedFields = (metadata.managedFields ?? []) as unknown as readonly ManagedFields[];
  const kept = managedFields.flatMap((fields) => {
    const heir = fields.subresource === undefined ? heirOf(fields.manager ?? "") : fields.manager;
    return heir === undefined ? [] : [{ ...fields, manager: heir }];
  });
  return JSON.stringify(kept) === JSON.stringify(managedFields) ? undefined : kept;
}

/**
 * Makes an object forget who set its fields before: a field that leaves the definition would stay for ever if its
 * former owner still held it. The fields themselves do not change, so no pod is restarted.
 */
async function forget(
  cluster: Cluster,
  object: KubeObject,
  heirOf: HeirOf,
  annotations?: { readonly [name: string]: null },
): Promise<void> {
  for (;;) {
    const live = await cluster.read(object);
    const managedFields = live === undefined ? undefined : inherited(live, heirOf);
    if (live === undefined || managedFields === undefined) return;
    const { resourceVersion } = live.metadata;
    try {
      await cluster.merge({
        ...object,
        metadata: {
          ...object.metadata,
          resourceVersion,
          managedFields,
          ...(annotations === undefined ? {} : { annotations }),
        },
      });
      return;
    } catch (error) {
      if (!(error instanceof Conflict)) throw error;
    }
  }
}

/**
 * Ends push delivery's ownership of the objects that a GitOps engine has synced. Reads them by kind, so asking after
 * each release costs a request per kind, however many there are.
 */
export async function takeFromPush(cluster: Cluster, { resources = [] }: ApplicationStatus): Promise<void> {
  const heirOf: HeirOf = (manager) => (pushManagers.test(manager) ? undefined : manager);
  const references = new Map(resources.map(objectOf).map((object) => [keyOf(object), object]));
  const kinds = new Map(
    [...references.values()].map((object) => [
      `${object.apiVersion} ${object.kind} ${object.metadata.namespace}`,
      object,
    ]),
  );
  for (const { apiVersion, kind, metadata } of kinds.values()) {
    for (const live of await cluster.list(apiVersion, kind, {}, metadata.namespace)) {
      const reference = references.get(keyOf(live));
      if (reference !== undefined && inherited(live, heirOf) !== undefined)
        await forget(cluster, reference, heirOf);
    }
  }
}

interface Owned {
  readonly ownerReferences?: readonly { readonly kind: string }[];
}

/** Ends an Application that the stack made. */
async function deleteApplication(cluster: Cluster, application: KubeObject): Promise<void> {
  // A finalizer that somebody added would delete the workloads.
  await cluster.merge({
    ...application,
    metadata: { ...application.metadata, finalizers: null },
  } as KubeObject);
  await cluster.delete(application);
  while ((await cluster.read(application)) !== undefined) await sleep(interval);
}

/**
 * Waits until an Application has seen that its project is gone, and so syncs nothing any more. One that an
 * ApplicationSet made cannot be deleted: it would be made again as long as the stack's folder is in the repository.
 */
async function awaitPowerless(cluster: Cluster, namespace: string): Promise<void> {
  const application = applicationOf(namespace);
  const annotations = { "argocd.argoproj.io/refresh": "normal" };
  await cluster.merge({ ...application, metadata: { ...application.metadata, annotations } });
  for (;;) {
    const live = await cluster.read(application);
    if (live === undefined) return;
    const { conditions = [], operationState } = statusOf(live);
    const powerless = conditions.some(({ type }) => type === "InvalidSpecError");
    if (powerless && operationState?.phase !== "Running") return;
    await sleep(interval);
  }
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
  const { ownerReferences = [] } = live.metadata as Owned;
  const isOfSet = ownerReferences.some(({ kind }) => kind === "ApplicationSet");
  if (!isOfSet) await deleteApplication(cluster, application);
  for (const [apiVersion, kind, name] of [
    [application.apiVersion, "AppProject", application.metadata.name],
    ["v1", "Secret", repositorySecretName(namespace)],
  ] as const)
    await cluster.delete({ apiVersion, kind, metadata: { name, namespace: argocdNamespace } });
  if (isOfSet) await awaitPowerless(cluster, namespace);
  // An object whose fields nobody holds would get an owner for ever by the next apply.
  for (const resource of statusOf(live).resources ?? [])
    await forget(
      cluster,
      objectOf(resource),
      (manager) => (manager === argocdFieldManager ? "slipway" : manager),
      { [trackingAnnotation]: null },
    );
  return true;
}

/** Name of the Secret with a stack's credentials for its repository. */
export function repositorySecretName(namespace: string): string {
  return `repository-${namespace}`.slice(0, 253);
}
