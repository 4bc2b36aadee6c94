import { afterAll, beforeAll, expect, test } from "vitest";
import { applicationOf } from "../../infra/gitops/argocd/sync.ts";
import { type Clients, clients } from "../support/cluster.ts";
import { embeddedCluster, startGitops } from "../support/gitops.ts";
import { GitopsStack } from "../support/gitopsStack.ts";

let hub: GitopsStack;
let spoke: GitopsStack;
let kube: Clients;

const fromSet = { kind: "gitops", engine: "argocd", applications: "set" };

beforeAll(async () => {
  await startGitops();
  kube = clients();
  hub = new GitopsStack("test-set-hub", { api: 30886, frontend: 30885 });
  spoke = new GitopsStack("test-set-spoke", { api: 30888, frontend: 30887 });
  hub.configure("Hub", {}, fromSet);
  await hub.deliver();
});

afterAll(async () => {
  await spoke.remove();
  await hub.remove();
});

/** uid of each pod of a stack that runs, and is not about to end. */
async function pods(namespace: string): Promise<(string | undefined)[]> {
  const { items } = await kube.core.listNamespacedPod({ namespace });
  return items
    .filter(
      ({ metadata, status }) => metadata?.deletionTimestamp === undefined && status?.phase === "Running",
    )
    .map(({ metadata }) => metadata?.uid)
    .sort();
}

async function ownerOf(stack: string): Promise<unknown> {
  const application = await embeddedCluster().read(applicationOf(stack));
  const owners = application?.metadata.ownerReferences as { kind: string; name: string }[] | undefined;
  return owners?.map(({ kind, name }) => `${kind} ${name}`);
}

test("one ApplicationSet makes the Applications of the stack that installs Argo CD and of another one, each delivered at its commit", async () => {
  spoke.configure("Spoke", {}, { ...fromSet, install: null });
  await spoke.deliver();
  await hub.greets("Hub");
  await spoke.greets("Spoke");
  expect(await ownerOf("test-set-hub")).toEqual(["ApplicationSet slipway"]);
  expect(await ownerOf("test-set-spoke")).toEqual(["ApplicationSet slipway"]);
});

test("a change of one stack is delivered to it alone", async () => {
  const before = await pods("test-set-hub");
  spoke.configure("Changed", {}, { ...fromSet, install: null });
  await spoke.deliver();
  await spoke.greets("Changed");
  expect(await pods("test-set-hub")).toEqual(before);
});

test("a stack goes back to push with no pod restarted, though its Application stays", async () => {
  const before = await pods("test-set-spoke");
  spoke.configure("Changed", {}, { kind: "push" });
  await spoke.deliver();
  expect(await pods("test-set-spoke")).toEqual(before);
  spoke.configure("Pushed", {}, { kind: "push" });
  await spoke.deliver();
  await spoke.greets("Pushed");
});
