import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { application } from "../../infra/application.ts";
import { Cluster, type KubeObject } from "../../infra/cluster/cluster.ts";
import { parseStackConfig } from "../../infra/config/parse.ts";
import { renderApplication } from "../../infra/delivery/render.ts";
import {
  credentialsSecret,
  gitRepository,
  kustomizations,
  permissions,
} from "../../infra/gitops/flux/objects.ts";
import { type Released, release } from "../../infra/gitops/release.ts";
import { readDescriptor } from "../../local/descriptor.ts";
import { readGitopsDescriptor } from "../../local/gitops/descriptor.ts";
import { type Clients, clients, getGreeting, getText } from "../support/cluster.ts";
import { FluxControllers } from "../support/flux.ts";
import { startGitops } from "../support/gitops.ts";
import { underLoad } from "../support/load.ts";
import { resolved } from "../support/release.ts";
import { Workspace } from "../support/workspace.ts";

const stack = "test-flux";
const api = "http://127.0.0.1:30686";
const frontend = "http://127.0.0.1:30685";
const config = {
  platform: { kind: "local" },
  exposure: { frontend: { type: "NodePort", nodePort: 30685 }, api: { type: "NodePort", nodePort: 30686 } },
};

let workspace: Workspace;
let clientsOf: Clients;
let cluster: Cluster;
const flux = new FluxControllers();

/** The stack's files, as the program renders them, for the images that run. */
async function files(
  change: (content: string) => string = (content) => content,
): Promise<Record<string, string>> {
  const { items } = await clientsOf.apps.listNamespacedDeployment({ namespace: stack });
  const images = Object.fromEntries(
    items.map(({ metadata, spec }) => [
      metadata?.name ?? "",
      {
        reference: spec?.template.spec?.containers[0]?.image ?? "",
        version: metadata?.labels?.["app.kubernetes.io/version"] ?? "",
      },
    ]),
  );
  const parsed = parseStackConfig(config, { stack, workloads: Object.keys(application) });
  const server = await clientsOf.apps.readNamespacedStatefulSet({ namespace: stack, name: "database" });
  const values = {
    images,
    pullSecret: "registry-pull",
    addresses: { api, frontend },
    databaseImage: server.spec?.template.spec?.containers[0]?.image ?? "",
  };
  const rendered = renderApplication(
    application,
    { project: "slipway", name: stack, config: parsed },
    values,
  );
  const changed = rendered.map(({ path, content }) => {
    const text = change(content);
    // As the program does: a Job is named by what is in it.
    const name = `api-migration-${createHash("sha256").update(text).digest("hex").slice(0, 10)}`;
    const renamed = path.endsWith("/job.yaml") && text !== content;
    return [path, renamed ? text.replace(/api-migration-[0-9a-f]+/, name) : text];
  });
  return Object.fromEntries(changed);
}

const source = () => ({
  namespace: stack,
  labels: {},
  url: readGitopsDescriptor().repository.pushUrl,
  branch: "main",
  folder: stack,
  timeoutSeconds: 60,
  migrates: true,
});

const syncs = () => kustomizations(source()) as unknown as KubeObject[];

function deliver(content: Record<string, string>): Promise<Released> {
  const { pushUrl, knownHosts, pushKey } = readGitopsDescriptor().repository;
  return release(
    {
      engine: "flux",
      fromSet: false,
      remote: { url: pushUrl, credentials: { kind: "ssh", key: pushKey, knownHosts } },
      branch: "main",
      folder: stack,
      files: content,
      message: "Test",
      author: { name: "test", email: "test@example.com" },
      prOnly: false,
      kubeconfig: readFileSync(readDescriptor().kubeconfig, "utf8"),
      namespace: stack,
      timeoutSeconds: 90,
      wait: true,
      atomic: false,
    },
    () => {},
  );
}

async function pods(): Promise<string[]> {
  const { items } = await clientsOf.core.listNamespacedPod({ namespace: stack });
  return items.map(({ metadata }) => metadata?.name ?? "").sort();
}

async function eventually(check: () => Promise<void>, seconds = 60): Promise<void> {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > deadline) throw new Error(`${(error as Error).message}\n${flux.logs()}`);
      await sleep(500);
    }
  }
}

beforeAll(async () => {
  await startGitops();
  workspace = new Workspace(stack);
  workspace.configure(config);
  clientsOf = clients();
  cluster = new Cluster(readFileSync(readDescriptor().kubeconfig, "utf8"));
  await flux.start();
  // Namespace, pull secret and images, and workloads to take over.
  await workspace.deliver();
  const { pullKey, knownHosts } = readGitopsDescriptor().repository;
  const { account, role, binding } = permissions(source());
  const secret = credentialsSecret(source(), { kind: "ssh", key: pullKey, knownHosts });
  const { "[secret]": data } = (await resolved(secret.data)) as { "[secret]": unknown };
  for (const object of [account, role, binding, { ...secret, data }, gitRepository(source()), ...syncs()])
    await cluster.apply(object as unknown as KubeObject);
}, 1_800_000);

afterAll(async () => {
  for (const sync of syncs()) await cluster.delete(sync);
  await sleep(2000);
  await flux.stop();
  await workspace.run("destroy", "--deliver", "direct");
  workspace.remove();
});

test("what push has delivered is taken over with no pod restarted and no request lost", async () => {
  const [before, first] = [await pods(), await files()];
  const load = { urls: [`${frontend}/`, `${api}/api/greeting`], rate: 50, connections: 6 };
  expect((await underLoad(load, () => deliver(first))).failures).toEqual([]);
  expect(await pods()).toEqual(before);
  const { metadata } = await clientsOf.apps.readNamespacedDeployment({ name: "api", namespace: stack });
  expect(metadata?.managedFields?.map(({ manager }) => manager)).toContain("kustomize-controller");
});

test("a commit is served when it is delivered", async () => {
  await deliver(await files((content) => content.replace("Hello from Slipway", "Hello from Flux")));
  expect(await getGreeting(api)).toMatchObject({ text: "Hello from Flux" });
});

test("a commit whose pods do not get ready is told with the reason, the old pods serve, and a fix gets through", async () => {
  const broken = await files((content) =>
    content
      .replaceAll("path: /readyz", "path: /nosuch")
      .replace("progressDeadlineSeconds: 120", "progressDeadlineSeconds: 10"),
  );
  await expect(deliver(broken)).rejects.toThrow(/did not get to the commit/);
  expect(await getGreeting(api)).toMatchObject({ text: "Hello from Flux" });
  await deliver(await files((content) => content.replace("Hello from Slipway", "Hello again")));
  expect(await getGreeting(api)).toMatchObject({ text: "Hello again" });
});

test("a migration that fails stops the commit, with its log; the same commit again runs it again", async () => {
  const revision = async () =>
    (await clientsOf.apps.readNamespacedDeployment({ name: "api", namespace: stack })).metadata
      ?.annotations?.["deployment.kubernetes.io/revision"];
  const before = await revision();
  const end = Date.now() + 30_000;
  const script = `if (Date.now() < ${end}) throw new Error('nobody came')`;
  const migrated = await files((content) =>
    content
      .replace("Hello from Slipway", "Hello, migrated")
      .replace(/- node\n( +)- dist\/migrate\.js/, `- node\n$1- -e\n$1- "${script}"`),
  );
  await expect(deliver(migrated)).rejects.toThrow(/log: .*nobody came/);
  expect(await revision()).toBe(before);
  expect(await getGreeting(api)).toMatchObject({ text: "Hello again" });
  await sleep(end - Date.now());
  await deliver(migrated);
  expect(await getGreeting(api)).toMatchObject({ text: "Hello, migrated" });
});

test("what leaves the repository is deleted, and what is changed by hand is changed back", async () => {
  const all = await files();
  const without = Object.entries(all)
    .filter(([path]) => path !== `${stack}/api/poddisruptionbudget.yaml`)
    .map(([path, content]) => [
      path,
      content.replace(
        "- poddisruptionbudget.yaml\n",
        path.includes("/api/") ? "" : "- poddisruptionbudget.yaml\n",
      ),
    ]);
  await deliver(Object.fromEntries(without));
  const { items } = await clientsOf.policy.listNamespacedPodDisruptionBudget({ namespace: stack });
  expect(items.map(({ metadata }) => metadata?.name)).toEqual(["frontend"]);
  const scaled = { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "api", namespace: stack } };
  await cluster.merge({ ...scaled, spec: { replicas: 3 } } as KubeObject);
  await eventually(async () => {
    const { spec } = await clientsOf.apps.readNamespacedDeployment({ name: "api", namespace: stack });
    expect(spec?.replicas).toBe(2);
  });
});

test("an object of a kind that the stack may not have is refused, and told", async () => {
  const all = await files();
  const role = "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata:\n  name: more\nrules: []\n";
  const more = {
    ...all,
    [`${stack}/api/role.yaml`]: role,
    [`${stack}/api/kustomization.yaml`]: `${all[`${stack}/api/kustomization.yaml`]}- role.yaml\n`,
  };
  await expect(deliver(more)).rejects.toThrow(/forbidden/);
  expect(await getText(frontend)).toContain('<h1 id="headline">');
});

test("deleting the Kustomizations leaves the workloads running, and push takes them back with no pod restarted", async () => {
  await deliver(await files());
  const before = await pods();
  for (const sync of syncs()) {
    await cluster.delete(sync);
    await eventually(async () => expect(await cluster.read(sync)).toBeUndefined());
  }
  await workspace.deliver();
  expect(await pods()).toEqual(before);
  expect(await getText(frontend)).toContain('<h1 id="headline">');
});
