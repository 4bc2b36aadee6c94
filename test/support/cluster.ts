import {
  AppsV1Api,
  CoreV1Api,
  CustomObjectsApi,
  KubeConfig,
  type KubernetesObject,
  KubernetesObjectApi,
  NetworkingV1Api,
  PolicyV1Api,
} from "@kubernetes/client-node";
import { Cluster } from "../../infra/cluster/cluster.ts";
import { prunedKinds } from "../../local/deliver/prune.ts";
import { readDescriptor } from "../../local/descriptor.ts";

/** Clients of the embedded cluster. */
export function clients() {
  const config = new KubeConfig();
  config.loadFromFile(readDescriptor().kubeconfig);
  return {
    core: config.makeApiClient(CoreV1Api),
    custom: config.makeApiClient(CustomObjectsApi),
    apps: config.makeApiClient(AppsV1Api),
    networking: config.makeApiClient(NetworkingV1Api),
    policy: config.makeApiClient(PolicyV1Api),
    objects: KubernetesObjectApi.makeApiClient(config),
    cluster: new Cluster(config.exportConfig()),
  };
}

export type Clients = ReturnType<typeof clients>;

/** Every object of a stack, its namespace included, by `kind/name`. */
export async function stackObjects(
  { cluster }: Clients,
  stack: string,
): Promise<Map<string, KubernetesObject>> {
  const labels = { "app.kubernetes.io/instance": stack, "app.kubernetes.io/managed-by": "slipway" };
  const kinds = [["v1", "Namespace"] as const, ...prunedKinds];
  const lists = await Promise.all(
    kinds.map(([apiVersion, kind]) =>
      cluster.list(apiVersion, kind, labels, kind === "Namespace" ? undefined : stack),
    ),
  );
  return new Map(lists.flat().map((object) => [`${object.kind}/${object.metadata.name}`, object]));
}

/** `metadata.resourceVersion` of each object. */
export function resourceVersions(objects: Map<string, KubernetesObject>): Record<string, string | undefined> {
  return Object.fromEntries([...objects].map(([name, { metadata }]) => [name, metadata?.resourceVersion]));
}

/** An object without what the cluster or a way of delivering adds to it. */
export function definitionOf(object: KubernetesObject): unknown {
  const { status: _, ...rest } = structuredClone(object) as KubernetesObject & {
    status?: unknown;
    metadata: Record<string, unknown>;
  };
  for (const key of ["uid", "resourceVersion", "generation", "creationTimestamp", "managedFields"])
    delete rest.metadata[key];
  const annotations = Object.entries((rest.metadata.annotations ?? {}) as Record<string, string>).filter(
    ([name]) => !name.startsWith("pulumi.com/") && !name.startsWith("deployment.kubernetes.io/"),
  );
  rest.metadata.annotations = Object.fromEntries(annotations);
  return rest;
}

export async function getText(url: string): Promise<string> {
  // A connection of its own, as another visitor: one that is kept may lead to a pod that is about to leave.
  const response = await fetch(url, { headers: { connection: "close" }, signal: AbortSignal.timeout(5000) });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return response.text();
}

export interface Greeting {
  readonly text: string;
  readonly build: string;
  readonly pod: string;
}

export async function getGreeting(url: string): Promise<Greeting> {
  return JSON.parse(await getText(`${url}/api/greeting`)) as Greeting;
}
