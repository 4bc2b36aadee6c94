import { expect, test } from "vitest";
import type { Cluster, KubeObject } from "../../local/deliver/cluster.ts";
import { prune } from "../../local/deliver/prune.ts";

const mine = { "app.kubernetes.io/instance": "dev", "app.kubernetes.io/managed-by": "slipway" };

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
  const result = await prune(cluster, kept, mine);
  expect(deleted).toEqual(["Deployment team/old", "ConfigMap team/api-config-1"]);
  expect(result.map(({ metadata }) => metadata.name)).toEqual(["old", "api-config-1"]);
});

test("an object of the same name but another kind stays", async () => {
  const { cluster, deleted } = clusterWith([
    team,
    object("Service", "api", "team"),
    object("Deployment", "api", "team"),
  ]);
  await prune(cluster, [team, object("Deployment", "api", "team")], mine);
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
  await prune(cluster, [team], mine);
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
  await prune(cluster, [team, object("Deployment", "api", "team")], mine);
  expect(deleted).toEqual(["Namespace /old-team"]);
});

test("nothing is deleted when nothing left", async () => {
  const all = [team, object("Deployment", "api", "team")];
  const { cluster, deleted } = clusterWith(all);
  expect(await prune(cluster, all, mine)).toEqual([]);
  expect(deleted).toEqual([]);
});
