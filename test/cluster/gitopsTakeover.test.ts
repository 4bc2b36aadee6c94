import { afterAll, beforeAll, expect, test } from "vitest";
import { type Clients, clients, stackObjects } from "../support/cluster.ts";
import { applicationStatus, embeddedCluster, startGitops } from "../support/gitops.ts";
import { underLoad } from "../support/load.ts";
import { Workspace } from "../support/workspace.ts";

const stack = "test-takeover";
const load = {
  urls: ["http://127.0.0.1:30790/", "http://127.0.0.1:30791/api/greeting"],
  rate: 50,
  connections: 6,
};
let workspace: Workspace;
let cluster: Clients;

beforeAll(async () => {
  await startGitops();
  workspace = new Workspace(stack);
  workspace.configure({
    platform: { kind: "local" },
    exposure: { frontend: { type: "NodePort", nodePort: 30790 }, api: { type: "NodePort", nodePort: 30791 } },
  });
  cluster = clients();
  await workspace.deliver();
});

afterAll(async () => {
  await workspace.run("destroy", "--deliver", "direct");
  workspace.remove();
});

async function deliver(delivery: "push" | "gitops"): Promise<void> {
  await workspace.deliver("--delivery", delivery);
}

/** uid and restarts of each pod. */
async function pods(): Promise<string[]> {
  const { items } = await cluster.core.listNamespacedPod({ namespace: stack });
  return items
    .map(({ metadata, status }) => `${metadata?.uid} ${status?.containerStatuses?.[0]?.restartCount}`)
    .sort();
}

/** Who sets fields of the workloads' Deployments and Services, but for their status. The database is not of them. */
async function owners(): Promise<string[]> {
  const objects = [...(await stackObjects(cluster, stack))].filter(([name]) =>
    /^(Deployment|Service)\/(api|frontend)$/.test(name),
  );
  const managers = objects.flatMap(([, { metadata }]) => metadata?.managedFields ?? []);
  return [
    ...new Set(
      managers.filter(({ subresource }) => subresource === undefined).map(({ manager }) => manager ?? ""),
    ),
  ];
}

test("from push to gitops and back: no pod is restarted, no object deleted, no request lost, and one owner at a time", async () => {
  // Argo CD's namespace is the stack's too, and takes a while to go.
  const names = async () =>
    [...(await stackObjects(cluster, stack)).keys()].filter((name) => name !== "Namespace/argocd").sort();
  const [before, objects] = [await pods(), await names()];
  expect(await owners()).toEqual(["slipway"]);

  const there = await underLoad(load, () => deliver("gitops"));
  expect(there.failures).toEqual([]);
  expect(there.requests).toBeGreaterThan(200);
  expect(await pods()).toEqual(before);
  expect(await owners()).toEqual(["argocd-controller"]);

  const back = await underLoad(load, () => deliver("push"));
  expect(back.failures).toEqual([]);
  expect(back.requests).toBeGreaterThan(100);
  expect(await pods()).toEqual(before);
  expect(await owners()).toEqual(["slipway"]);
  expect(await names()).toEqual(objects);
  expect(await applicationStatus(embeddedCluster(), stack)).toEqual({});
});
