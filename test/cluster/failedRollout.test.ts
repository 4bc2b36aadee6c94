import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Clients, clients, getText } from "../support/cluster.ts";
import { Workspace } from "../support/workspace.ts";

const stack = "test-rollout";
const page = "http://127.0.0.1:30380";
const deadline = 15;
let workspace: Workspace;
let cluster: Clients;

type Config = { readonly [key: string]: unknown };

/** What every release has, so that one that fails is over soon. */
const soon = {
  rolloutDeadlineSeconds: deadline,
  resources: { requests: { cpu: "5m", memory: "32Mi" } },
};

function configure({ workloads = {}, ...extra }: Config = {}): void {
  const { api, frontend } = workloads as { readonly api?: object; readonly frontend?: object };
  workspace.configure({
    platform: { kind: "local" },
    exposure: { frontend: { type: "NodePort", nodePort: 30380 }, api: { type: "NodePort", nodePort: 30381 } },
    quota: { cpu: "4", memory: "4Gi", pods: 20 },
    ...extra,
    workloads: { api: { ...soon, replicas: 1, ...api }, frontend: { ...soon, ...frontend } },
  });
}

/** Names of the pods that serve. */
async function readyPods(workload: string): Promise<string[]> {
  const labelSelector = `app.kubernetes.io/name=${workload}`;
  const { items } = await cluster.core.listNamespacedPod({ namespace: stack, labelSelector });
  return items
    .filter(({ metadata }) => metadata?.deletionTimestamp === undefined)
    .filter(({ status }) =>
      status?.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True"),
    )
    .map(({ metadata }) => metadata?.name ?? "")
    .sort();
}

async function imageOf(workload: string) {
  const { spec, metadata } = await cluster.apps.readNamespacedDeployment({
    namespace: stack,
    name: workload,
  });
  return {
    reference: spec?.template.spec?.containers[0]?.image ?? "",
    version: metadata?.labels?.["app.kubernetes.io/version"] ?? "",
  };
}

beforeAll(async () => {
  workspace = new Workspace(stack);
  cluster = clients();
  configure();
  await workspace.deliver();
});

afterAll(async () => {
  configure();
  await workspace.run("destroy", "--deliver", "direct");
  workspace.remove();
});

interface Failure {
  readonly what: string;
  readonly config: () => Config | Promise<Config>;
  /** What a person has to find in the output. */
  readonly says: readonly RegExp[];
}

const failures: readonly Failure[] = [
  {
    what: "an image that does not exist",
    config: async () => {
      const [api, good] = await Promise.all([imageOf("api"), imageOf("frontend")]);
      const missing = good.reference.replace(/[0-9a-f]{64}$/, "0".repeat(64));
      const workloads = { api, frontend: { reference: missing, version: "2" } };
      return { images: { source: "digests", release: { build: "2", workloads } } };
    },
    says: [/Pod frontend-\S+: Pending/, /ImagePullBackOff|ErrImagePull/, /not found/],
  },
  {
    what: "a crash at the start",
    config: () => ({ workloads: { frontend: { env: { PORT: "http" } } } }),
    says: [/Pod frontend-/, /exit code 1/, /BackOff/, /log: .*PORT="http": must be a whole number/],
  },
  {
    what: "too little memory",
    config: () => ({
      workloads: {
        frontend: {
          resources: { requests: { memory: "16Mi" }, limits: { memory: "24Mi" } },
        },
      },
    }),
    says: [/Pod frontend-/, /exit code 137 \(OOMKilled\)/],
  },
  {
    what: "a quota that is exceeded",
    config: () => ({
      quota: { cpu: "4", memory: "2Gi", pods: 4 },
      workloads: { frontend: { env: { TZ: "UTC" } } },
    }),
    says: [/FailedCreate: .*exceeded quota: .*pods=4/],
  },
  {
    what: "a wrong password of the database",
    config: () => ({
      database: {
        kind: "external",
        url: `postgres://api:not-the-password@database.${stack}.svc:5432/api`,
      },
    }),
    says: [/Job test-rollout\/api-migration/, /log: .*password authentication failed/],
  },
];

/** Runs a delivery that must fail, and looks at what it says and leaves. */
async function failingDelivery(): Promise<string> {
  const [api, pages] = [await readyPods("api"), await readyPods("frontend")];
  const { exitCode, output } = await workspace.run("start", "--deliver", "direct");
  expect(exitCode, output).toBe(1);
  // Its deadline, and what it takes to apply everything and to end.
  const [, minutes = "0", seconds = ""] = /✖ Deliver {2}(?:(\d+)m )?([\d.]+)s/.exec(output) ?? [];
  expect(Number(minutes) * 60 + Number(seconds), output).toBeLessThan(2 * deadline + 20);
  // Pods of a workload that got through are others once it is put back; their ReplicaSet is the same.
  const replicaSets = (names: readonly string[]) => names.map((name) => name.replace(/-[^-]+$/, ""));
  expect(replicaSets(await readyPods("api"))).toEqual(replicaSets(api));
  expect(await readyPods("frontend")).toEqual(pages);
  expect(await getText(page)).toContain("<h1");
  expect(output).not.toContain("not-the-password");
  // Its last part, which tells why, fits on one screen.
  expect(output.slice(output.lastIndexOf("Deployment test-rollout/")).split("\n").length).toBeLessThan(50);
  return output;
}

describe("a release that fails ends in time, says why, and leaves the old pods serving", () => {
  test.each(failures)("$what", async ({ config, says }) => {
    configure(await config());
    const output = await failingDelivery();
    for (const pattern of says) expect(output).toMatch(pattern);
    expect(output).toMatch(/the pods of the last good release keep serving/);
  });

  test("readiness that is never true", async () => {
    const before = workspace.read("infra/application.ts");
    workspace.write(
      "infra/application.ts",
      before.replace(/(frontend: \{[\s\S]*?)\/readyz/, "$1/never-ready"),
    );
    configure();
    const output = await failingDelivery();
    expect(output).toMatch(/Pod frontend-\S+: Running/);
    expect(output).toMatch(/Startup probe failed: HTTP probe failed with statuscode: 404/);
    workspace.write("infra/application.ts", before);
  });

  test("and the next good release recovers", async () => {
    configure({ workloads: { frontend: { env: { TZ: "Europe/Berlin" } } } });
    await workspace.deliver();
    expect(await readyPods("frontend")).toHaveLength(2);
  });
});

describe("an atomic release that fails", () => {
  test("puts the pods of the release before back, says so, and leaves nothing to change for it", async () => {
    const before = await readyPods("frontend");
    const { items: sets } = await cluster.apps.listNamespacedReplicaSet({ namespace: stack });
    configure({
      delivery: { kind: "push", atomic: true },
      workloads: {
        frontend: { env: { PORT: "http" } },
        api: { env: { GREETING: "Half a release" } },
      },
    });
    const output = await failingDelivery();
    expect(output).toMatch(/the release before was put back: .*Deployment test-rollout\/frontend/);
    expect(await readyPods("frontend")).toEqual(before);
    const { items: after } = await cluster.apps.listNamespacedReplicaSet({ namespace: stack });
    const running = (list: typeof sets) =>
      list
        .filter(({ spec }) => (spec?.replicas ?? 0) > 0)
        .map(({ metadata }) => metadata?.name)
        .sort();
    expect(running(after)).toEqual(running(sets));
  });

  test("is followed by the next good one, in which nothing of the failed one is left", async () => {
    configure({ delivery: { kind: "push", atomic: true } });
    await workspace.deliver();
    const { spec, metadata } = await cluster.apps.readNamespacedDeployment({
      namespace: stack,
      name: "frontend",
    });
    expect(spec?.template.spec?.containers[0]?.env?.map(({ name }) => name)).toEqual([
      "BUILD_NUMBER",
      "POD_NAME",
    ]);
    expect(Object.keys(metadata?.annotations ?? {})).not.toContain("slipway.dev/put-back");
  });
});
