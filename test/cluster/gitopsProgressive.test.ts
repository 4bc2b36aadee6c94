import { afterAll, beforeAll, expect, test } from "vitest";
import { type Clients, clients, getText } from "../support/cluster.ts";
import { startGitops } from "../support/gitops.ts";
import { GitopsStack } from "../support/gitopsStack.ts";

const stack = "test-gitops-canary";
const page = "http://127.0.0.1:30893";
let gitops: GitopsStack;
let kube: Clients;

const analysis = { kind: "web", path: "/readyz", intervalSeconds: 1, count: 2 };

/** The api as a canary of four pods, that says so. */
function configure(greeting: string, change: object = {}): void {
  gitops.configure(greeting, {
    replicas: 4,
    rolloutDeadlineSeconds: 20,
    resources: { requests: { cpu: "5m", memory: "32Mi" } },
    strategy: {
      kind: "canary",
      steps: [{ weight: 25 }, { analysis: true }, { weight: 50 }, { pause: 2 }],
      analysis: { ...analysis, ...change },
    },
  });
}

beforeAll(async () => {
  await startGitops();
  kube = clients();
  gitops = new GitopsStack(stack, { api: 30894, frontend: 30893 });
  // A database is not what this is about.
  gitops.workspace.withoutDatabase();
  configure("First");
  await gitops.deliver();
});

afterAll(() => gitops.remove());

async function rollout(): Promise<{ phase?: string; stableRS?: string; currentPodHash?: string }> {
  const { status = {} } = (await kube.custom.getNamespacedCustomObject({
    group: "argoproj.io",
    version: "v1alpha1",
    namespace: stack,
    plural: "rollouts",
    name: "api",
  })) as { status?: object };
  return status;
}

test("a commit goes through the canary's steps, and the command waits for the last of them", async () => {
  const { stableRS } = await rollout();
  configure("Second");
  const heard = new Set<string>();
  const delivery = gitops.deliver();
  let over = false;
  delivery.finally(() => {
    over = true;
  });
  while (!over) for (const text of await gitops.greetings()) heard.add(text);
  await delivery;
  expect([...heard].sort()).toEqual(["First", "Second"]);
  await gitops.greets("Second");
  const after = await rollout();
  expect(after).toMatchObject({ phase: "Healthy", stableRS: after.currentPodHash });
  expect(after.stableRS).not.toBe(stableRS);
});

test("a canary whose analysis fails is aborted: the command says why, and the old pods serve", async () => {
  configure("Third", { path: "/not-there" });
  const output = await gitops.deliverInVain();
  expect(output).toMatch(/Rollout test-gitops-canary\/api: Degraded: RolloutAborted/);
  expect(output).toMatch(/web: .*404/);
  expect(output).toContain("the pods of the last good release keep serving");
  await expect.poll(() => gitops.greetings(), { timeout: 30_000 }).toEqual(["Second"]);
});

test("the next good commit recovers", async () => {
  configure("Fourth");
  await gitops.deliver();
  await gitops.greets("Fourth");
  expect(await rollout()).toMatchObject({ phase: "Healthy" });
  expect(await getText(page)).toContain("<h1");
});
