import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { underLoad } from "../support/load.ts";
import { Workspace } from "../support/workspace.ts";

const stack = "test-zero-downtime";
const load = {
  urls: ["http://127.0.0.1:30880/", "http://127.0.0.1:30881/api/greeting"],
  rate: 50,
  connections: 6,
};
let workspace: Workspace;

function configure(workloads: { readonly [name: string]: unknown } = {}): void {
  workspace.configure({
    platform: { kind: "local" },
    exposure: { frontend: { type: "NodePort", nodePort: 30880 }, api: { type: "NodePort", nodePort: 30881 } },
    workloads,
  });
}

beforeAll(async () => {
  workspace = new Workspace(stack);
  configure();
  await workspace.deliver();
});

afterAll(async () => {
  await workspace.run("destroy", "--deliver", "direct");
  workspace.remove();
});

/** Clients that keep their connections, during a delivery and until the last old pod has ended. */
async function deliverUnderLoad() {
  const seen = await underLoad(load, async () => {
    await workspace.deliver();
    await sleep(12_000);
  });
  expect(seen.requests).toBeGreaterThan(500);
  return seen;
}

test("a rollout of every pod loses no request on kept-alive connections", async () => {
  configure({ api: { env: { GREETING: "Changed" } }, frontend: { env: { LOG_LEVEL: "warn" } } });
  expect((await deliverUnderLoad()).failures).toEqual([]);
});

test("scaling up and down loses no request on kept-alive connections", async () => {
  configure({ api: { replicas: 4 }, frontend: { replicas: 3 } });
  expect((await deliverUnderLoad()).failures).toEqual([]);
  configure({ api: { replicas: 1 }, frontend: { replicas: 1 } });
  expect((await deliverUnderLoad()).failures).toEqual([]);
});
