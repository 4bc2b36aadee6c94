import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Clients, clients, getText } from "../support/cluster.ts";
import { Workspace } from "../support/workspace.ts";

const stack = "test-progressive";
const page = "http://127.0.0.1:30360";
const hash = "rollouts-pod-template-hash";
let workspace: Workspace;
let cluster: Clients;

interface RolloutStatus {
  readonly phase?: string;
  readonly message?: string;
  readonly stableRS?: string;
  readonly currentPodHash?: string;
  readonly currentStepIndex?: number;
}

async function status(): Promise<RolloutStatus> {
  const rollout = (await cluster.custom.getNamespacedCustomObject({
    group: "argoproj.io",
    version: "v1alpha1",
    namespace: stack,
    plural: "rollouts",
    name: "frontend",
  })) as { readonly status?: RolloutStatus };
  return rollout.status ?? {};
}

/** Number of pods of each revision that are not about to end, and whether each is ready. */
async function pods(): Promise<
  { readonly name: string; readonly revision: string; readonly ready: boolean }[]
> {
  const labelSelector = "app.kubernetes.io/name=frontend";
  const { items } = await cluster.core.listNamespacedPod({ namespace: stack, labelSelector });
  return items
    .filter(({ metadata }) => metadata?.deletionTimestamp === undefined)
    .map(({ metadata, status: state }) => ({
      name: metadata?.name ?? "",
      revision: metadata?.labels?.[hash] ?? "",
      ready: state?.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True") ?? false,
    }));
}

/** Little, for eight pods of one workload at a time. */
const resources = { requests: { cpu: "5m", memory: "32Mi" } };

function configure(strategy: object, env: Readonly<Record<string, string>> = {}): void {
  workspace.configure({
    platform: { kind: "local" },
    exposure: { frontend: { type: "NodePort", nodePort: 30360 }, api: { type: "NodePort", nodePort: 30361 } },
    workloads: {
      frontend: { replicas: 4, rolloutDeadlineSeconds: 20, resources, strategy, env },
      api: { replicas: 1, resources },
    },
  });
}

const web = { kind: "web", path: "/readyz", intervalSeconds: 1, count: 2 };
const canary = (analysis: object = web) => ({
  kind: "canary",
  steps: [{ weight: 25 }, { analysis: true }, { weight: 50 }, { pause: 2 }],
  analysis,
});

beforeAll(async () => {
  workspace = new Workspace(stack);
  // A database is not what this is about.
  workspace.withoutDatabase();
  cluster = clients();
  configure(canary());
  await workspace.deliver();
});

afterAll(async () => {
  await workspace.run("destroy", "--deliver", "direct");
  workspace.remove();
});

/** Looks at the pods again and again while something runs. @returns how many were new each time that this changed */
async function newPodsWhile(work: Promise<unknown>, old: string): Promise<number[]> {
  const counts: number[] = [];
  let running = true;
  const end = work.finally(() => {
    running = false;
  });
  while (running) {
    const ready = (await pods()).filter((pod) => pod.ready && pod.revision !== old).length;
    if (counts.at(-1) !== ready) counts.push(ready);
    await getText(page);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await end;
  return counts;
}

describe("a canary", () => {
  test("goes through its weights, by way of its analysis, while the page is served", async () => {
    const { stableRS = "" } = await status();
    configure(canary(), { TZ: "UTC" });
    const counts = await newPodsWhile(workspace.deliver(), stableRS);
    // A quarter of four pods, half of them, all of them.
    for (const count of [1, 2, 4]) expect(counts).toContain(count);
    expect(counts.indexOf(1)).toBeLessThan(counts.indexOf(2));
    expect(await status()).toMatchObject({ phase: "Healthy" });
    expect((await status()).stableRS).not.toBe(stableRS);
  });

  test("that fails its analysis is aborted: the old pods serve, the reason is told", async () => {
    const before = await status();
    configure(canary({ ...web, path: "/not-there" }), { TZ: "Europe/Berlin" });
    const { exitCode, output } = await workspace.run("start", "--deliver", "direct");
    expect(exitCode).toBe(1);
    expect(output).toMatch(/Rollout test-progressive\/frontend: Degraded: RolloutAborted/);
    expect(output).toMatch(/web: .*404/);
    expect(output).toContain("the pods of the last good release keep serving");
    await expect
      .poll(async () => (await pods()).filter(({ ready }) => ready).map(({ revision }) => revision), {
        timeout: 30_000,
      })
      .toEqual(Array(4).fill(before.stableRS));
    expect(await getText(page)).toContain("<h1");
  });

  test("that crashes ends within its deadline with its last words, and the next good release recovers", async () => {
    const { stableRS } = await status();
    configure(canary(), { PORT: "http" });
    const { exitCode, output } = await workspace.run("start", "--deliver", "direct");
    expect(exitCode).toBe(1);
    expect(output).toMatch(/Pod frontend-/);
    expect(output).toMatch(/log: .*PORT/);
    expect(
      (await pods()).filter(({ ready, revision }) => ready && revision === stableRS).length,
    ).toBeGreaterThan(2);
    configure(canary(), { TZ: "UTC" });
    await workspace.deliver();
    expect(await status()).toMatchObject({ phase: "Healthy" });
  });
});

describe("blue-green", () => {
  const strategy = {
    kind: "blueGreen",
    autoPromote: false,
    keepOldSeconds: 1,
    analysis: {
      kind: "job",
      command: [
        "node",
        "-e",
        "fetch(process.env.PROBE_URL + '/readyz').then((answer) => process.exit(answer.ok ? 0 : 1))",
      ],
      intervalSeconds: 1,
      count: 1,
    },
  };

  /** Revision that a Service leads to. */
  async function selected(name: string): Promise<string | undefined> {
    const { spec } = await cluster.core.readNamespacedService({ namespace: stack, name });
    return spec?.selector?.[hash];
  }

  test("previews the new pods beside the old ones, which serve until it is promoted", async () => {
    configure(strategy);
    await workspace.deliver();
    const { stableRS } = await status();
    configure(strategy, { TZ: "UTC", LOG_LEVEL: "warn" });
    const output = await workspace.deliver();
    expect(output).toMatch(/waits for its promotion/);
    const { currentPodHash, phase } = await status();
    expect(phase).toBe("Paused");
    expect(await selected("frontend")).toBe(stableRS);
    expect(await selected("frontend-preview")).toBe(currentPodHash);
    expect((await pods()).filter(({ ready, revision }) => ready && revision === currentPodHash)).toHaveLength(
      4,
    );
    // What a person does by `kubectl argo rollouts promote`.
    await cluster.custom.patchNamespacedCustomObjectStatus({
      group: "argoproj.io",
      version: "v1alpha1",
      namespace: stack,
      plural: "rollouts",
      name: "frontend",
      body: [{ op: "replace", path: "/status/pauseConditions", value: null }],
    });
    await expect.poll(() => selected("frontend"), { timeout: 30_000 }).toBe(currentPodHash);
    await expect.poll(async () => (await status()).phase, { timeout: 30_000 }).toBe("Healthy");
    expect(await getText(page)).toContain("<h1");
  });

  test("that fails its analysis keeps the old pods active", async () => {
    const { stableRS } = await status();
    const command = ["node", "-e", "console.log('the probe says no'); process.exit(1)"];
    configure(
      { ...strategy, autoPromote: true, analysis: { ...strategy.analysis, command } },
      { TZ: "Asia/Tokyo" },
    );
    const { exitCode, output } = await workspace.run("start", "--deliver", "direct");
    expect(exitCode).toBe(1);
    expect(output).toMatch(/Degraded: RolloutAborted/);
    expect(output).toContain("log: the probe says no");
    expect(await selected("frontend")).toBe(stableRS);
    expect(await getText(page)).toContain("<h1");
  });
});

test("a Deployment takes the place of the Rollout, and the page is served meanwhile", async () => {
  configure({ kind: "rolling" });
  await newPodsWhile(workspace.deliver(), "none");
  const { items } = await cluster.apps.listNamespacedDeployment({ namespace: stack });
  expect(items.map(({ metadata }) => metadata?.name)).toContain("frontend");
  await expect(status()).rejects.toThrow();
});
