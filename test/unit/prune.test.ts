import { expect, test } from "vitest";
import type { Cluster, KubeObject } from "../../infra/cluster/cluster.ts";
import { trackingAnnotation } from "../../infra/gitops/argocd/names.ts";
import { ownerLabel, stackLabels } from "../../infra/workloads/labels.ts";
import { prune } from "../../local/deliver/prune.ts";

const owner = { project: "shop", stack: "dev" };
const mine = stackLabels(owner);

function object(kind: string, name: string, namespace?: string, labels: object = mine): KubeObject {
  const apiVersion = kind === "Deployment" ? "apps/v1" : "v1";
  return { apiVersion, kind, metadata: { name, ...(namespace === undefined ? {} : { namespace }), labels } };
}

/** A cluster that has these objects, and remembers what was deleted, in order. */
function clusterWith(objects: readonly KubeObject[]) {
  const deleted: string[] = [];
  const cluster = {
    list: async (apiVersion: string, kind: string, labels: Record<string, string>, namespace?: string) =>
      objects.filter(
        ({ metadata, ...found }) =>
          found.apiVersion === apiVersion &&
          found.kind === kind &&
          (namespace === undefined || metadata.namespace === namespace) &&
          Object.entries(labels).every(
            ([key, value]) => (metadata.labels as Record<string, string>)[key] === value,
          ),
      ),
    delete: async ({ kind, metadata }: KubeObject) => {
      deleted.push(`${kind} ${metadata.namespace ?? ""}/${metadata.name}`);
    },
  };
  return { cluster: cluster as unknown as Cluster, deleted };
}

const team = object("Namespace", "team");

test("what left the program is deleted, and what is in it stays", async () => {
  const kept = [team, object("ConfigMap", "api-config-2", "team"), object("Deployment", "api", "team")];
  const left = [object("ConfigMap", "api-config-1", "team"), object("Deployment", "old", "team")];
  const { cluster, deleted } = clusterWith([...kept, ...left]);
  const result = await prune(cluster, kept, owner);
  expect(deleted).toEqual(["Deployment team/old", "ConfigMap team/api-config-1"]);
  expect(result.map(({ metadata }) => metadata.name)).toEqual(["old", "api-config-1"]);
});

test("an object of the same name but another kind stays", async () => {
  const { cluster, deleted } = clusterWith([
    team,
    object("Service", "api", "team"),
    object("Deployment", "api", "team"),
  ]);
  await prune(cluster, [team, object("Deployment", "api", "team")], owner);
  expect(deleted).toEqual(["Service team/api"]);
});

test.each([
  ["nobody", {}],
  ["another stack", { ...mine, "app.kubernetes.io/instance": "prod" }],
  ["another tool", { ...mine, "app.kubernetes.io/managed-by": "Helm" }],
])("what belongs to %s stays, in a namespace of ours too", async (_, labels) => {
  const { cluster, deleted } = clusterWith([
    team,
    object("Secret", "theirs", "team", labels),
    object("Namespace", "theirs", undefined, labels),
  ]);
  await prune(cluster, [team], owner);
  expect(deleted).toEqual([]);
});

test("a namespace that the stack has left is deleted whole, and the new one stays", async () => {
  const old = object("Namespace", "old-team");
  const { cluster, deleted } = clusterWith([
    team,
    old,
    object("Deployment", "api", "old-team"),
    object("Deployment", "api", "team"),
  ]);
  await prune(cluster, [team, object("Deployment", "api", "team")], owner);
  expect(deleted).toEqual(["Namespace /old-team"]);
});

test("nothing is deleted when nothing left", async () => {
  const all = [team, object("Deployment", "api", "team")];
  const { cluster, deleted } = clusterWith(all);
  expect(await prune(cluster, all, owner)).toEqual([]);
  expect(deleted).toEqual([]);
});

test("what Argo CD syncs is left to it, as long as the stack commits its workloads", async () => {
  const synced = object("Deployment", "api", "team");
  synced.metadata.annotations = { [trackingAnnotation]: "dev:apps/Deployment:team/api" };
  const left = object("Deployment", "old", "team");
  const committing = clusterWith([team, synced, left]);
  await prune(committing.cluster, [team], { ...owner, released: [] });
  expect(committing.deleted).toEqual(["Deployment team/old"]);
  const pushing = clusterWith([team, synced]);
  await prune(pushing.cluster, [team], owner);
  expect(pushing.deleted).toEqual(["Deployment team/api"]);
});

test("what a stack has outside its namespaces is found by its owner, and that of another stack stays", async () => {
  const role = (name: string, stack: string): KubeObject => ({
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRole",
    metadata: { name, labels: ownerLabel({ project: "shop", stack }) },
  });
  const { cluster, deleted } = clusterWith([role("argocd", "dev"), role("other", "prod")]);
  await prune(cluster, [], owner);
  expect(deleted).toEqual(["ClusterRole /argocd"]);
});

test("what a controller's release had, and the next one has not, is found by its owner, and what the controller made stays", async () => {
  const marked = ownerLabel(owner);
  const namespace = object("Namespace", "argocd", undefined, { ...mine, ...marked });
  const controller = object("Deployment", "controller", "argocd", marked);
  const left = object("Deployment", "server", "argocd", marked);
  const made = object("Secret", "of-the-controller", "argocd", {});
  const { cluster, deleted } = clusterWith([namespace, controller, left, made]);
  await prune(cluster, [namespace, controller], owner);
  expect(deleted).toEqual(["Deployment argocd/server"]);
});

test("what the stack itself left in a controller's namespace, such as a repository's key, is found by the stack's labels", async () => {
  const marked = ownerLabel(owner);
  const namespace = object("Namespace", "argocd", undefined, { ...mine, ...marked });
  const repository = object("Secret", "repository-team", "argocd");
  const left = object("Secret", "repository-old-team", "argocd");
  const theirs = object("Secret", "repository-prod", "argocd", stackLabels({ ...owner, stack: "prod" }));
  const { cluster, deleted } = clusterWith([namespace, repository, left, theirs]);
  await prune(cluster, [namespace, repository], owner);
  expect(deleted).toEqual(["Secret argocd/repository-old-team"]);
});

test("what was committed in this run stays, though Argo CD has not marked it yet", async () => {
  const committed = object("Deployment", "api", "team");
  const { cluster, deleted } = clusterWith([team, committed, object("Deployment", "old", "team")]);
  await prune(cluster, [team], { ...owner, released: [committed] });
  expect(deleted).toEqual(["Deployment team/old"]);
});
