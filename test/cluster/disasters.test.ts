import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { pkiPath } from "../../local/pki.ts";
import { resolveSettings } from "../../local/settings.ts";
import { environmentStatus, processNames } from "../../local/status.ts";
import { type Clients, clients, getGreeting, getText } from "../support/cluster.ts";
import { crash } from "../support/crash.ts";
import { underLoad } from "../support/load.ts";
import { Workspace } from "../support/workspace.ts";

const stack = "test-disasters";
const [page, api] = ["http://127.0.0.1:30960", "http://127.0.0.1:30961"];
const load = { urls: [page, `${api}/api/greeting`], rate: 20, connections: 4 };
const settings = resolveSettings(process.env);
/** Rows of docs/reliability.md: what was done, requests sent and lost while it was, seconds until all was well again. */
const rows: string[] = [];
let workspace: Workspace;
let cluster: Clients;

function configure(greeting: string): void {
  workspace.configure({
    platform: { kind: "local" },
    exposure: { frontend: { type: "NodePort", nodePort: 30960 }, api: { type: "NodePort", nodePort: 30961 } },
    // What a killed kubelet never reports is waited for until then: less than the 40 to 50 seconds after which Kubernetes
    // takes the pods of a silent node, here the only one, out of its Services; more than the 15 that a kubelet may take to
    // find its containerd again.
    workloads: {
      frontend: { rolloutDeadlineSeconds: 25 },
      api: { rolloutDeadlineSeconds: 25, env: { GREETING: greeting } },
    },
  });
}

beforeAll(async () => {
  workspace = new Workspace(stack);
  cluster = clients();
  configure("Calm");
  await workspace.deliver();
  await fetch(`${api}/api/visits`, { method: "POST" });
});

afterAll(async () => {
  mkdirSync("reports", { recursive: true });
  writeFileSync("reports/disasters.md", `${rows.join("\n")}\n`);
  await workspace.run("destroy", "--deliver", "direct");
  workspace.remove();
});

async function visits(): Promise<number> {
  return (JSON.parse(await getText(`${api}/api/visits`)) as { total: number }).total;
}

/** uid of each pod that runs. */
async function pods(): Promise<(string | undefined)[]> {
  const { items } = await cluster.core.listNamespacedPod({ namespace: stack });
  return items
    .filter(
      ({ metadata, status }) => metadata?.deletionTimestamp === undefined && status?.phase === "Running",
    )
    .map(({ metadata }) => metadata?.uid)
    .sort();
}

const seconds = (begin: number) => `${((performance.now() - begin) / 1000).toFixed(0)} s`;

/** Goes through a disaster under load: no request and no data are lost. */
async function survived(what: string, happening: () => Promise<void>): Promise<void> {
  const [begin, data] = [performance.now(), await visits()];
  const { requests, failures } = await underLoad(load, happening);
  expect([failures, await visits()]).toEqual([[], data]);
  rows.push(`| ${what} | ${requests} | 0 | ${seconds(begin)} |`);
}

async function serves(): Promise<void> {
  expect(await getText(page)).toContain('<h1 id="headline">');
  expect((await getGreeting(api)).text).toBeTypeOf("string");
}

/** A delivery that has to work, of a greeting that every pod then says. */
async function converges(greeting: string): Promise<void> {
  configure(greeting);
  await workspace.deliver();
  await expect
    .poll(async () => (await getGreeting(api).catch(() => undefined))?.text, { timeout: 30_000 })
    .toBe(greeting);
}

test.each(processNames)("kill -9 of %s stops no pod, and the next run brings it back", async (name) => {
  const before = await pods();
  await survived(`kill -9 of ${name}`, async () => {
    await crash(name);
    const { exitCode, output } = await workspace.run("start", "--deliver", "direct");
    expect([exitCode, output]).toEqual([0, expect.stringContaining(page)]);
    expect((await environmentStatus(settings)).state).toBe("up");
    await expect.poll(pods, { timeout: 30_000 }).toEqual(before);
  });
});

test.each(["kube-apiserver", "kubelet", "containerd", "registry", "etcd"])(
  "kill -9 of %s in the middle of a release loses nothing, and the next run finishes it",
  (name) =>
    survived(`kill -9 of ${name} in the middle of a release`, async () => {
      configure(`During ${name}`);
      const release = workspace.run("start", "--deliver", "direct");
      await sleep(4000);
      await crash(name);
      await release;
      await converges(`After ${name}`);
    }),
);

test("a release that is killed is finished by the next run", () =>
  survived("kill -9 of the release", async () => {
    configure("Killed");
    const release = execa(
      process.execPath,
      ["local/slipway.js", "start", "--stack", stack, "--deliver", "direct"],
      { cwd: workspace.path, reject: false, stdin: "ignore" },
    );
    await sleep(5000);
    release.kill("SIGKILL");
    await release;
    await converges("Finished");
  }));

test("a registry whose disk is full ends the release with the reason, and delivers when there is space again", () =>
  survived("the registry's disk is full", async () => {
    const disk = join(settings.stateDir, "registry");
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", disk]);
    // Lazily: the registry may have a file open.
    const unmount = () => execa("umount", ["--lazy", disk], { reject: false });
    onTestFinished(async () => {
      await unmount();
      workspace.git("checkout", "--quiet", "app/api/src/app.ts");
    });
    workspace.replace("app/api/src/app.ts", "text: config.GREETING", "text: config.GREETING.toUpperCase()");
    configure("Full");
    const { exitCode, output } = await workspace.run("start", "--deliver", "direct");
    expect(exitCode).toBe(1);
    expect(output).toContain("no space left on device");
    await unmount();
    workspace.git("checkout", "--quiet", "app/api/src/app.ts");
    await converges("Space");
  }));

/** Replaces the API server's certificate by one that expired long ago. */
function expireCertificate(): void {
  const work = mkdtempSync(join(tmpdir(), "slipway-test-ca-"));
  const file = (name: string) => join(work, name);
  const openssl = (...args: string[]) => execFileSync("openssl", args, { stdio: "pipe" });
  const pki = (name: string) => pkiPath(settings, name);
  writeFileSync(file("index.txt"), "");
  writeFileSync(
    file("ca.conf"),
    `[ca]\ndefault_ca = own\n[own]\ndatabase = ${file("index.txt")}\nnew_certs_dir = ${work}\nrand_serial = yes\npolicy = any\n[any]\ncommonName = supplied\n`,
  );
  openssl(
    ...["req", "-new", "-key", pki("apiserver.key"), "-subj", "/CN=kube-apiserver", "-out", file("csr")],
  );
  openssl(
    ...["ca", "-batch", "-config", file("ca.conf"), "-cert", pki("ca.crt"), "-keyfile", pki("ca.key")],
    ...["-md", "sha256", "-rand_serial", "-startdate", "20200101000000Z", "-enddate", "20200102000000Z"],
    ...["-notext", "-in", file("csr"), "-out", pki("apiserver.crt")],
  );
  rmSync(work, { recursive: true });
}

test("certificates that the clock has overtaken are made anew, and no pod stops", async () => {
  const before = await pods();
  await survived("the API server's certificate has expired", async () => {
    expireCertificate();
    await crash("kube-apiserver");
    await workspace.deliver();
    cluster = clients();
    expect(await pods()).toEqual(before);
    await converges("In time");
  });
});

test("a node that goes down and comes back has its data, and serves the same release", async () => {
  const [begin, data] = [performance.now(), await visits()];
  await execa(process.execPath, ["local/slipway.js", "stop", "--keep-data"], { cwd: workspace.path });
  await expect(getText(page)).rejects.toThrow();
  await workspace.deliver();
  cluster = clients();
  await serves();
  expect(await visits()).toBe(data);
  rows.push(`| the node goes down and comes back | — | no row | ${seconds(begin)} |`);
  await converges("Back");
});
