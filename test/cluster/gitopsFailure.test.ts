import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Cluster } from "../../infra/cluster/cluster.ts";
import { applicationOf } from "../../infra/gitops/argocd/sync.ts";
import { cgroupProcesses } from "../../local/cgroups.ts";
import { type Clients, clients } from "../support/cluster.ts";
import {
  applicationStatus,
  embeddedCluster,
  ManifestsClone,
  refresh,
  startGitops,
} from "../support/gitops.ts";
import { GitopsStack } from "../support/gitopsStack.ts";

const stack = "test-gitops-failure";
let gitops: GitopsStack;
let kube: Clients;
let cluster: Cluster;
let manifests: ManifestsClone;

beforeAll(async () => {
  await startGitops();
  kube = clients();
  cluster = embeddedCluster();
  gitops = new GitopsStack(stack, { api: 30786, frontend: 30785 });
  gitops.configure("First");
  await gitops.deliver();
  manifests = new ManifestsClone();
});

afterAll(async () => {
  await gitops.remove();
  manifests.remove();
});

const configMap = (name: string, namespace: string) => `apiVersion: v1
kind: ConfigMap
metadata:
  name: ${name}
  namespace: ${namespace}
data:
  colour: green
`;

test.each([
  ["in another namespace", configMap("stray", "default")],
  ["of the cluster", "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: test-gitops-failure-stray\n"],
  [
    "of a kind that is not rendered",
    `apiVersion: v1\nkind: Secret\nmetadata:\n  name: stray\n  namespace: ${stack}\n`,
  ],
])("an object %s is refused, and the pods keep serving", async (_, content) => {
  const commit = manifests.commit({ [`${stack}/stray.yaml`]: content });
  try {
    await refresh(cluster, stack, commit);
    await expect
      .poll(async () => JSON.stringify(await applicationStatus(cluster, stack)), { timeout: 30_000 })
      .toMatch(/not permitted in project/);
    await gitops.greets("First");
  } finally {
    await refresh(cluster, stack, manifests.revert(commit));
  }
  const reads = [
    () => kube.core.readNamespacedConfigMap({ namespace: "default", name: "stray" }),
    () => kube.core.readNamespace({ name: "test-gitops-failure-stray" }),
    () => kube.core.readNamespacedSecret({ namespace: stack, name: "stray" }),
  ];
  for (const read of reads) await expect(read()).rejects.toMatchObject({ code: 404 });
});

test("a manifest that the cluster refuses is reported with the object and the reason, and its fix is delivered", async () => {
  const commit = manifests.commit({
    [`${stack}/extra/service.yaml`]: `apiVersion: v1\nkind: Service\nmetadata:\n  name: extra\n  namespace: ${stack}\nspec:\n  ports: [{ port: 70000 }]\n`,
  });
  await refresh(cluster, stack, commit);
  await expect
    .poll(async () => JSON.stringify((await applicationStatus(cluster, stack)).operationState ?? {}), {
      timeout: 30_000,
    })
    .toMatch(/70000/);
  await gitops.greets("First");
  // The next delivery owns the folder: what is wrong in it goes.
  gitops.configure("Fixed");
  await gitops.deliver();
  await gitops.greets("Fixed");
});

test("pods that never get ready are reported with their last words, the old ones serve, and the fix is delivered", async () => {
  gitops.configure("Broken", { env: { PORT: "http" }, rolloutDeadlineSeconds: 10 });
  const output = await gitops.deliverInVain();
  expect(output).toContain(`Deployment ${stack}/api`);
  expect(output).toContain("the pods of the last good release keep serving");
  expect(output).toMatch(/log: .*PORT/);
  expect(await gitops.greetings()).not.toContain("Broken");
  gitops.configure("Fixed again");
  await gitops.deliver();
  await gitops.greets("Fixed again");
});

test("git revert brings the release before back, with its digest", async () => {
  const image = async () =>
    (await kube.apps.readNamespacedDeployment({ namespace: stack, name: "api" })).spec?.template.spec
      ?.containers[0]?.image;
  gitops.configure("Before");
  await gitops.deliver();
  const before = await image();
  gitops.workspace.replace("app/api/src/app.ts", "text: config.GREETING", 'text: "Broken by a change"');
  await gitops.deliver();
  expect(await image()).not.toBe(before);
  await gitops.greets("Broken by a change");
  manifests.pull();
  await refresh(cluster, stack, manifests.revert(manifests.git("rev-parse", "HEAD")));
  await expect.poll(image, { timeout: 30_000 }).toBe(before);
  await expect
    .poll(async () => (await applicationStatus(cluster, stack)).health?.status, { timeout: 60_000 })
    .toBe("Healthy");
  await expect.poll(() => gitops.greetings(), { timeout: 30_000 }).toEqual(["Before"]);
  gitops.workspace.git("checkout", "--quiet", "app/api/src/app.ts");
});

test("while the repository cannot be reached the pods serve, and Argo CD says so; when it is back, the next run delivers", async () => {
  gitops.configure("Before the outage");
  await gitops.deliver();
  const where = { namespace: "slipway-git", name: "git-server" };
  await kube.apps.patchNamespacedDeploymentScale({
    ...where,
    body: [{ op: "replace", path: "/spec/replicas", value: 0 }],
  });
  await expect
    .poll(async () => (await kube.core.listNamespacedPod({ namespace: where.namespace })).items.length, {
      timeout: 60_000,
    })
    .toBe(0);
  const application = applicationOf(stack);
  const annotations = { "argocd.argoproj.io/refresh": "hard" };
  await expect
    .poll(
      async () => {
        await cluster.merge({ ...application, metadata: { ...application.metadata, annotations } });
        return JSON.stringify((await applicationStatus(cluster, stack)).conditions ?? []);
      },
      { timeout: 60_000, interval: 3000 },
    )
    .toMatch(/ComparisonError/);
  await gitops.greets("Before the outage");
  // Brings the environment's Git server back.
  gitops.configure("After the outage");
  await gitops.deliver();
  await gitops.greets("After the outage");
});

const argocdParts = ["argocd-application-controller", "argocd-repo-server"];

async function deletePods(): Promise<void> {
  for (const part of argocdParts)
    await kube.core.deleteCollectionNamespacedPod({
      namespace: "argocd",
      labelSelector: `app.kubernetes.io/name=${part}`,
    });
}

/** Kills its processes as a crash would, among those that run in the environment's pods. */
async function crash(): Promise<void> {
  const running = cgroupProcesses().filter((pid) => {
    const program = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0")[0] ?? "";
    return argocdParts.includes(basename(program));
  });
  expect(running.length).toBeGreaterThanOrEqual(argocdParts.length);
  for (const pid of running) process.kill(pid, "SIGKILL");
}

test.each([
  ["restarted", deletePods],
  ["killed by kill -9", crash],
])("an Argo CD that is %s in the middle of a sync delivers when it is back", async (what, end) => {
  gitops.configure(`After it was ${what}`);
  const delivery = gitops.deliver();
  await expect
    .poll(async () => (await applicationStatus(cluster, stack)).operationState?.phase, {
      timeout: 60_000,
      interval: 50,
    })
    .toBe("Running");
  await end();
  await delivery;
  await gitops.greets(`After it was ${what}`);
});

test("a release outside the sync windows is held back, the pods serve, and the run says what holds it", async () => {
  gitops.configure("Before the window");
  await gitops.deliver();
  const never = { kind: "deny", schedule: "* * * * *", duration: "24h" };
  gitops.configure(
    "Held back",
    {},
    {
      kind: "gitops",
      engine: "argocd",
      syncWindows: [never],
      timeoutSeconds: 20,
    },
  );
  expect(await gitops.deliverInVain()).toMatch(/within 20 s(.|\n)*sync window/);
  await gitops.greets("Before the window");
  gitops.configure("After the window");
  await gitops.deliver();
  await gitops.greets("After the window");
});
