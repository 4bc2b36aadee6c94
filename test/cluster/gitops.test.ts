import { afterAll, beforeAll, expect, test } from "vitest";
import type { Cluster } from "../../infra/cluster/cluster.ts";
import { type Clients, clients, getGreeting, resourceVersions, stackObjects } from "../support/cluster.ts";
import {
  applicationStatus,
  embeddedCluster,
  ManifestsClone,
  refresh,
  startGitops,
} from "../support/gitops.ts";
import { GitopsStack } from "../support/gitopsStack.ts";

const stack = "test-gitops";
let gitops: GitopsStack;
let kube: Clients;
let cluster: Cluster;
let manifests: ManifestsClone;

beforeAll(async () => {
  await startGitops();
  kube = clients();
  cluster = embeddedCluster();
  gitops = new GitopsStack(stack, { api: 30781, frontend: 30780 });
  gitops.configure("First");
  await gitops.deliver();
  manifests = new ManifestsClone();
});

afterAll(async () => {
  await gitops.remove();
  manifests.remove();
});

test("a delivery is a commit with build and digests, which Argo CD has synced when the command ends", async () => {
  manifests.pull();
  const [commit, message] = [
    manifests.git("rev-parse", "HEAD"),
    manifests.git("log", "-1", "--format=%B", "--", stack),
  ];
  expect(message).toMatch(new RegExp(`^${stack}: build `));
  expect(message).toMatch(/^api +build \S+ {2}\S+\/slipway\/api@sha256:[0-9a-f]{64}$/m);
  expect(await applicationStatus(cluster, stack)).toMatchObject({
    sync: { status: "Synced", revision: commit },
    health: { status: "Healthy" },
  });
  await gitops.greets("First");
});

test("status tells sync and health, to people and machines", async () => {
  const people = await gitops.workspace.run("status");
  expect(people.output).toMatch(new RegExp(`stack ${stack} +Synced, Healthy at [0-9a-f]{10}`));
  const machines = await gitops.workspace.run("status", "--json");
  expect((JSON.parse(machines.output) as { applications: unknown[] }).applications).toContainEqual({
    name: stack,
    sync: "Synced",
    health: "Healthy",
    revision: expect.stringMatching(/^[0-9a-f]{40}$/),
  });
});

test("a run with no change makes no commit and leaves every object alone", async () => {
  const [commits, versions] = [manifests.commits(stack), resourceVersions(await stackObjects(kube, stack))];
  await gitops.deliver();
  expect(manifests.commits(stack)).toBe(commits);
  expect(resourceVersions(await stackObjects(kube, stack))).toEqual(versions);
});

test("a change is one commit, and served by every pod when the command ends", async () => {
  const commits = manifests.commits(stack);
  gitops.configure("Changed");
  await gitops.deliver();
  await gitops.greets("Changed");
  expect(manifests.commits(stack)).toBe(commits + 1);
});

const replicas = async () =>
  (await kube.apps.readNamespacedDeployment({ namespace: stack, name: "api" })).spec?.replicas;

test("a Deployment that is scaled by hand is scaled back", async () => {
  await kube.apps.patchNamespacedDeploymentScale({
    namespace: stack,
    name: "api",
    body: [{ op: "replace", path: "/spec/replicas", value: 3 }],
  });
  await expect.poll(replicas, { timeout: 10_000, interval: 100 }).toBe(2);
});

test("a Service that is deleted by hand returns, with its port", async () => {
  await kube.core.deleteNamespacedService({ namespace: stack, name: "api" });
  const port = async () =>
    (await kube.core.readNamespacedService({ namespace: stack, name: "api" }).catch(() => undefined))?.spec
      ?.ports?.[0]?.nodePort;
  await expect.poll(port, { timeout: 15_000, interval: 100 }).toBe(30781);
  await expect
    .poll(() => getGreeting(gitops.api).catch(() => undefined), { timeout: 15_000 })
    .toMatchObject({ text: "Changed" });
});

const configMap = (name: string, namespace: string) => `apiVersion: v1
kind: ConfigMap
metadata:
  name: ${name}
  namespace: ${namespace}
data:
  colour: green
`;

test("what somebody adds to the repository runs, is changed back when it is edited, and is pruned with its file", async () => {
  const path = `${stack}/extra/configmap.yaml`;
  const read = async () =>
    (await kube.core.readNamespacedConfigMap({ namespace: stack, name: "extra" }).catch(() => undefined))
      ?.data?.colour;
  await refresh(cluster, stack, manifests.commit({ [path]: configMap("extra", stack) }));
  await expect.poll(read, { timeout: 20_000 }).toBe("green");
  await kube.core.patchNamespacedConfigMap({
    namespace: stack,
    name: "extra",
    body: [{ op: "replace", path: "/data/colour", value: "red" }],
  });
  await expect.poll(read, { timeout: 15_000, interval: 100 }).toBe("green");
  await refresh(cluster, stack, manifests.commit({ [path]: undefined }));
  await expect.poll(read, { timeout: 20_000 }).toBeUndefined();
});
