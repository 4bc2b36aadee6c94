import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Clients, clients, getText } from "../support/cluster.ts";
import { underLoad } from "../support/load.ts";
import { Workspace } from "../support/workspace.ts";

const stack = "test-database";
const api = "http://127.0.0.1:30891";
let workspace: Workspace;
let cluster: Clients;

function configure(database: { readonly [key: string]: unknown } = {}): void {
  workspace.configure({
    platform: { kind: "local" },
    exposure: { frontend: { type: "ClusterIP" }, api: { type: "NodePort", nodePort: 30891 } },
    database: { kind: "inCluster", ...database },
    workloads: { api: { rolloutDeadlineSeconds: 60 } },
  });
  // The page's configuration takes the api's address, and here nobody asks for the page's.
  workspace.write("infra/application.ts", application);
}

let application: string;

beforeAll(async () => {
  workspace = new Workspace(stack);
  application = workspace.read("infra/application.ts").replace('CORS_ORIGINS: urlOf("frontend"),', "");
  cluster = clients();
  configure();
  await workspace.deliver();
});

afterAll(async () => {
  configure({ keepVolume: false });
  await workspace.deliver();
  await workspace.run("destroy", "--deliver", "direct");
  workspace.remove();
});

interface Visits {
  readonly total: number;
}

async function visits(): Promise<Visits> {
  return JSON.parse(await getText(`${api}/api/visits`)) as Visits;
}

async function visit(): Promise<void> {
  const response = await fetch(`${api}/api/visits`, { method: "POST", headers: { connection: "close" } });
  if (!response.ok) throw new Error(`answered ${response.status}: ${await response.text()}`);
}

/** Runs a delivery that must fail, and makes sure that the old pods still serve. */
async function failingDelivery(): Promise<string> {
  const before = await visits();
  const { exitCode, output } = await workspace.run("start", "--deliver", "direct");
  expect(exitCode).toBe(1);
  expect(await visits()).toEqual(before);
  return output;
}

test("a run with no change migrates nothing and rotates nothing", async () => {
  const pods = async () => {
    const { items } = await cluster.core.listNamespacedPod({ namespace: stack });
    return items.map(({ metadata }) => metadata?.name).sort();
  };
  const before = await pods();
  await workspace.deliver();
  expect(await pods()).toEqual(before);
});

test("visits are kept when the server's pod is deleted", async () => {
  await visit();
  await visit();
  const before = (await visits()).total;
  const server = { namespace: stack, name: "database-0" };
  const { metadata } = await cluster.core.readNamespacedPod(server);
  await cluster.core.deleteNamespacedPod(server);
  const isAnother = async () => {
    const pod = await cluster.core.readNamespacedPod(server).catch(() => undefined);
    const ready = pod?.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True");
    return ready === true && pod?.metadata?.uid !== metadata?.uid;
  };
  await expect.poll(isAnother, { timeout: 60_000 }).toBe(true);
  expect((await visits()).total).toBe(before);
});

test("a migration that fails stops the release, with its log; corrected, it is applied", async () => {
  const file = "app/api/migrations/20991101090000_broken.sql";
  workspace.write(file, "ALTER TABLE visitors ADD COLUMN name text;\n");
  const output = await failingDelivery();
  expect(output).toMatch(/Job test-database\/api-migration-\w+: .*: must succeed before the new pods start/);
  expect(output).toContain('log: relation "visitors" does not exist');
  workspace.write(file, "ALTER TABLE visits ADD COLUMN name text;\n");
  await workspace.deliver();
  await visit();
});

test("a migration that was edited after it was applied stops the release", async () => {
  const file = "app/api/migrations/20991101090000_broken.sql";
  const applied = workspace.read(file);
  workspace.write(file, "ALTER TABLE visits ADD COLUMN title text;\n");
  expect(await failingDelivery()).toContain(
    "log: migration 20991101090000_broken was edited after it was applied: undo that, and add a new one",
  );
  workspace.write(file, applied);
  await workspace.deliver();
});

test("credentials are rotated without losing a request on kept-alive connections", async () => {
  const load = { urls: [`${api}/api/visits`], rate: 20, connections: 4 };
  const users = async () => {
    const { items } = await cluster.core.listNamespacedSecret({ namespace: stack });
    return items
      .filter(({ metadata }) => metadata?.name?.startsWith("api-database-"))
      .map(({ data }) => Buffer.from(data?.DATABASE_USER ?? "", "base64").toString());
  };
  expect(await users()).toEqual(["api_1"]);
  configure({ credentials: 2 });
  const seen = await underLoad(load, async () => {
    await workspace.deliver();
    await sleep(12_000);
  });
  expect(seen.failures).toEqual([]);
  expect(seen.requests).toBeGreaterThan(300);
  expect(await users()).toEqual(["api_2"]);
});

test("a smaller volume is refused before anything changes", async () => {
  configure({ credentials: 2, storage: "512Mi" });
  expect(await failingDelivery()).toContain(
    'slipway:database.storage = "512Mi": must not be less than the 1Gi that the volume has.',
  );
  configure({ credentials: 2 });
});

test.each<[string, (url: URL) => void, string]>([
  [
    "refuses the password",
    (url) => {
      url.password = "wrong-password";
    },
    'password authentication failed for user "api_2"',
  ],
  [
    "cannot be reached",
    (url) => {
      url.host = "127.0.0.1:1";
    },
    "connect ECONNREFUSED 127.0.0.1:1",
  ],
])("a database that %s is told, without the password, and the old pods serve", async (_, spoil, reason) => {
  const { data } = await cluster.core.readNamespacedSecret({ namespace: stack, name: "api-database-2" });
  const url = new URL(Buffer.from(data?.DATABASE_URL ?? "", "base64").toString());
  spoil(url);
  workspace.configure({
    platform: { kind: "local" },
    exposure: { frontend: { type: "ClusterIP" }, api: { type: "NodePort", nodePort: 30891 } },
    database: { kind: "external", url: url.href },
  });
  const output = await failingDelivery();
  expect(output).toContain(reason);
  expect(output).not.toContain(url.password);
  configure({ credentials: 2 });
  await workspace.deliver();
});

test("destroy keeps the volume, and the next start has the visits again", async () => {
  const before = await visits();
  const { exitCode } = await workspace.run("destroy", "--deliver", "direct");
  expect(exitCode).toBe(0);
  const { items } = await cluster.core.listNamespacedPersistentVolumeClaim({ namespace: stack });
  expect(items.map(({ metadata }) => metadata?.name)).toEqual(["database-data"]);
  await expect
    .poll(async () => (await cluster.core.listNamespacedPod({ namespace: stack })).items, { timeout: 90_000 })
    .toEqual([]);
  await workspace.deliver();
  expect(await visits()).toEqual(before);
});
