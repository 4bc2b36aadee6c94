import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { installChromium } from "../support/chromium.ts";
import { clients, getGreeting } from "../support/cluster.ts";
import { Workspace } from "../support/workspace.ts";

const stack = "test-page";
let workspace: Workspace;
let browser: Browser;

beforeAll(async () => {
  workspace = new Workspace(stack);
  workspace.configure({
    platform: { kind: "local" },
    // Both ports are picked by the cluster: the page learns the api's in the same run.
    exposure: { frontend: { type: "NodePort" }, api: { type: "NodePort" } },
    workloads: { api: { env: { GREETING: "Read off the page" } } },
  });
  await workspace.deliver();
  const executablePath = await installChromium();
  expect(existsSync(executablePath)).toBe(true);
  // Chromium looks up its maker's hosts at every start unless told not to.
  const args = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ];
  browser = await chromium.launch({ executablePath, args });
});

afterAll(async () => {
  await browser?.close();
  await workspace.run("destroy", "--deliver", "direct");
  workspace.remove();
});

async function nodePort(name: string): Promise<number> {
  const { spec } = await clients().core.readNamespacedService({ namespace: stack, name });
  return spec?.ports?.[0]?.nodePort as number;
}

test("a browser shows the api's text, the builds of both services and the pod that answered", async () => {
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${await nodePort("frontend")}`);
  await page.locator('#page[data-state="ready"]').waitFor();
  const text = async (id: string) => (await page.locator(`#${id}`).textContent())?.trim();
  const commit = workspace.git("rev-parse", "HEAD").slice(0, 10);
  expect(await text("greeting")).toBe("Read off the page");
  expect(await text("api-build")).toBe(commit);
  expect(await text("frontend-build")).toBe(commit);
  const { items } = await clients().core.listNamespacedPod({
    namespace: stack,
    labelSelector: "app.kubernetes.io/name=api",
  });
  expect(items.map(({ metadata }) => metadata?.name)).toContain(await text("api-pod"));
});

test("a browser that comes again shows one more visit, read from the database", async () => {
  const visits = async () => {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${await nodePort("frontend")}`);
    await page.locator("#visits-entry:not([hidden])").waitFor();
    return Number(await page.locator("#visits").textContent());
  };
  const before = await visits();
  expect(before).toBeGreaterThan(0);
  expect(await visits()).toBe(before + 1);
});

test("the api lets the frontend's origin read its answers, and no other", async () => {
  const url = `http://127.0.0.1:${await nodePort("api")}`;
  const origin = `http://127.0.0.1:${await nodePort("frontend")}`;
  const allowed = async (from: string) =>
    (await fetch(`${url}/api/greeting`, { headers: { origin: from } })).headers.get(
      "access-control-allow-origin",
    );
  expect(await allowed(origin)).toBe(origin);
  expect(await allowed("http://evil.example")).toBeNull();
  expect(await getGreeting(url)).toMatchObject({ text: "Read off the page" });
});
