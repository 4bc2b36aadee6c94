import { afterAll, beforeAll, expect, test } from "vitest";
import {
  type Clients,
  clients,
  getGreeting,
  getText,
  resourceVersions,
  stackObjects,
} from "../support/cluster.ts";
import { Workspace } from "../support/workspace.ts";

const stack = "test-release";
const frontend = "http://127.0.0.1:30180";
const api = "http://127.0.0.1:30181";
let workspace: Workspace;
let cluster: Clients;

function configure(extra: { readonly [key: string]: unknown } = {}): void {
  workspace.configure({
    platform: { kind: "local" },
    exposure: { frontend: { type: "NodePort", nodePort: 30180 }, api: { type: "NodePort", nodePort: 30181 } },
    ...extra,
  });
}

beforeAll(async () => {
  workspace = new Workspace(stack);
  cluster = clients();
  configure();
  await workspace.deliver();
});

afterAll(async () => {
  await workspace.run("destroy", "--deliver", "direct");
  workspace.remove();
});

test("page and api answer on 127.0.0.1 with the commit as their build number", async () => {
  const commit = workspace.git("rev-parse", "HEAD").slice(0, 10);
  expect(await getText(frontend)).toContain('<h1 id="headline">');
  expect(await getGreeting(api)).toMatchObject({ text: "Hello from Slipway", build: commit });
});

test("pods run the pushed images by digest, pulled with the stack's pull secret", async () => {
  const { items } = await cluster.core.listNamespacedPod({
    namespace: stack,
    labelSelector: "app.kubernetes.io/name in (api, frontend, api-migration)",
  });
  expect(items.length).toBeGreaterThanOrEqual(5);
  for (const { spec } of items) {
    expect(spec?.containers[0]?.image).toMatch(
      /^127\.0\.0\.1:\d+\/slipway\/(api|frontend)@sha256:[a-f0-9]{64}$/,
    );
    expect(spec?.imagePullSecrets).toEqual([{ name: "registry-pull" }]);
  }
});

test("a run with no change leaves every object's resourceVersion alone", async () => {
  const before = resourceVersions(await stackObjects(cluster, stack));
  const output = await workspace.deliver();
  expect(resourceVersions(await stackObjects(cluster, stack))).toEqual(before);
  expect(output).toMatch(/Deliver: 22 unchanged/);
});

test("a changed configuration file rolls the pods of its workload and of no other", async () => {
  const pods = async (name: string) => {
    const { items } = await cluster.core.listNamespacedPod({
      namespace: stack,
      labelSelector: `app.kubernetes.io/name=${name}`,
    });
    return items
      .filter(({ metadata }) => metadata?.deletionTimestamp === undefined)
      .map(({ metadata }) => metadata?.name);
  };
  const [apiBefore, frontendBefore] = [await pods("api"), await pods("frontend")];
  workspace.replace(
    "infra/application.ts",
    '{ apiUrl: urlOf("api") }',
    '{ apiUrl: urlOf("api"), title: "Another title" }',
  );
  await workspace.deliver();
  // A pod that leaves serves for a moment more, until every node has noticed.
  await expect
    .poll(async () => JSON.parse(await getText(`${frontend}/config/config.json`)), { timeout: 10_000 })
    .toEqual({ apiUrl: api, title: "Another title" });
  expect(await pods("api")).toEqual(apiBefore);
  for (const name of await pods("frontend")) expect(frontendBefore).not.toContain(name);
});

test("a changed text is served by every replica under a build number that marks the dirty tree", async () => {
  workspace.replace("app/frontend/index.html", "Launched with Slipway", "Launched again");
  await workspace.deliver();
  await expect.poll(() => getText(frontend), { timeout: 10_000 }).toContain("Launched again");
  const { items } = await cluster.core.listNamespacedPod({
    namespace: stack,
    labelSelector: "app.kubernetes.io/name=frontend",
  });
  const builds = items
    .filter(({ metadata }) => metadata?.deletionTimestamp === undefined)
    .map(({ metadata }) => metadata?.labels?.["app.kubernetes.io/version"]);
  expect(new Set(builds).size).toBe(1);
  expect(builds[0]).toMatch(/^[0-9a-f]{10}-dirty-[0-9a-f]{12}$/);
});

test("what left the program is deleted from the cluster", async () => {
  configure({ workloads: { api: { autoscaling: { minReplicas: 2, maxReplicas: 3 } } } });
  await workspace.deliver();
  expect([...(await stackObjects(cluster, stack)).keys()]).toContain("HorizontalPodAutoscaler/api");
  configure();
  const output = await workspace.deliver();
  expect(output).toMatch(/1 deleted/);
  expect([...(await stackObjects(cluster, stack)).keys()]).not.toContain("HorizontalPodAutoscaler/api");
});

test("the api server accepts every object with strict field validation", async () => {
  for (const object of (await stackObjects(cluster, stack)).values()) {
    const { metadata, ...rest } = object as typeof object & {
      metadata: Record<string, unknown>;
      status?: unknown;
    };
    const { name, namespace, labels } = metadata as {
      name: string;
      namespace?: string;
      labels: Record<string, string>;
    };
    // A server-side apply refuses a field that the schema does not have; a dry run leaves the object alone.
    await expect(
      cluster.objects.patch(
        { ...rest, metadata: { name, ...(namespace === undefined ? {} : { namespace }), labels } },
        undefined,
        "All",
        "strict-validation",
        true,
        "application/apply-patch+yaml" as never,
      ),
    ).resolves.toBeDefined();
  }
});

test("Pod Security restricted refuses a privileged pod in the stack's namespace", async () => {
  const privileged = {
    metadata: { name: "privileged" },
    spec: { containers: [{ name: "shell", image: "scratch", securityContext: { privileged: true } }] },
  };
  await expect(cluster.core.createNamespacedPod({ namespace: stack, body: privileged })).rejects.toThrow(
    /violates PodSecurity \S*restricted:latest/,
  );
});

test("pods get no token for the Kubernetes API", async () => {
  const { items } = await cluster.core.listNamespacedPod({ namespace: stack });
  for (const { spec } of items) {
    expect(spec?.automountServiceAccountToken).toBe(false);
    expect((spec?.volumes ?? []).filter(({ projected }) => projected !== undefined)).toEqual([]);
  }
});
