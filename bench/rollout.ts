import { setTimeout as sleep } from "node:timers/promises";
import { type Clients, clients } from "../test/support/cluster.ts";
import { startGitops } from "../test/support/gitops.ts";
import { percentile, type Seen, underLoad } from "../test/support/load.ts";
import { PulumiStack, pulumiCommand } from "../test/support/pulumi.ts";
import { Workspace } from "../test/support/workspace.ts";
import type { Row } from "./table.ts";

const load = {
  urls: ["http://127.0.0.1:30780/", "http://127.0.0.1:30781/api/greeting"],
  rate: 100,
  connections: 8,
};

/** Seconds after a change during which old pods still end. */
const settle = 12;

/** Evicts the stack's pods one after the other, as draining a node does, each as soon as its budget allows. */
async function evictAll({ core }: Clients, namespace: string): Promise<void> {
  const { items } = await core.listNamespacedPod({ namespace });
  for (const { metadata } of items) {
    const name = metadata?.name as string;
    for (;;) {
      try {
        await core.createNamespacedPodEviction({ name, namespace, body: { metadata: { name, namespace } } });
        break;
      } catch (error) {
        // 429: the PodDisruptionBudget says not yet.
        if ((error as { code?: number }).code !== 429) throw error;
        await sleep(500);
      }
    }
  }
}

/** Requests on kept-alive connections during everything that replaces pods: how many fail, and how late the slowest are. */
export async function bench(): Promise<Row[]> {
  // Installed before: what is measured is the switch.
  await startGitops();
  const workspace = new Workspace("bench-rollout");
  const configure = (workloads: { readonly [name: string]: unknown } = {}) =>
    workspace.configure({
      platform: { kind: "local" },
      exposure: {
        frontend: { type: "NodePort", nodePort: 30780 },
        api: { type: "NodePort", nodePort: 30781 },
      },
      workloads,
    });
  configure();
  const stack = new PulumiStack(workspace);
  const deliver = () => workspace.deliver();
  const changed = { api: { env: { GREETING: "Changed" } }, frontend: { env: { LOG_LEVEL: "warn" } } };
  const events: { readonly [name: string]: () => Promise<unknown> } = {
    "new image of both": () => {
      workspace.replace("app/frontend/index.html", "Launched with Slipway", "Launched again");
      workspace.replace("app/api/src/app.ts", "a cached one would lie.", "one from a cache would lie.");
      return deliver();
    },
    "configuration change": () => {
      configure(changed);
      return deliver();
    },
    "migration, and the image that comes with it": () => {
      workspace.write(
        "app/api/migrations/20991101090000_bench.sql",
        "ALTER TABLE visits ADD COLUMN page text;\n",
      );
      return deliver();
    },
    "scale from 2 to 4": () => {
      configure({ api: { ...changed.api, replicas: 4 }, frontend: { ...changed.frontend, replicas: 4 } });
      return deliver();
    },
    "scale from 4 to 2": () => {
      configure(changed);
      return deliver();
    },
    "eviction of every pod": () => evictAll(clients(), workspace.stack),
    "from push to GitOps": () => workspace.deliver("--delivery", "gitops"),
    "from GitOps to push": () => workspace.deliver("--delivery", "push"),
    ...(pulumiCommand === undefined
      ? {}
      : {
          "from direct delivery to pulumi up": async () => {
            await stack.init();
            await stack.up();
          },
        }),
  };
  const seen = new Map<string, Seen>();
  try {
    await deliver();
    // Connections and compiled code of fresh pods must not count as idle latency.
    await underLoad(load, () => sleep(5_000));
    seen.set("idle", await underLoad(load, () => sleep(20_000)));
    for (const [name, happening] of Object.entries(events)) {
      seen.set(
        name,
        await underLoad(load, async () => {
          await happening();
          await sleep(settle * 1000);
        }),
      );
    }
  } finally {
    await workspace.run("destroy", "--deliver", "direct");
    workspace.remove();
    stack.remove();
  }
  for (const [name, { failures }] of seen)
    for (const failure of failures) console.error(`${name}: ${failure}`);
  return [...seen].map(([name, { requests, failures, latencies }]) => ({
    name,
    unit: "ms",
    values: [percentile(latencies, 0.99)],
    note: `p99, ${failures.length} of ${requests} requests failed, goal 0`,
    ...(name === "idle" ? {} : { against: { name: "idle", goal: 2 } }),
  }));
}
