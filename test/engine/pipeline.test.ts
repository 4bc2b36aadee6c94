import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { clients, getGreeting, getText, stackObjects } from "../support/cluster.ts";
import { crash } from "../support/crash.ts";
import startEnvironment from "../support/environment.ts";
import { PulumiStack, pulumiCommand } from "../support/pulumi.ts";
import { Workspace } from "../support/workspace.ts";

const [dev, prod] = ["test-ci-dev", "test-ci-prod"];
const port = { [dev]: 30980, [prod]: 30990 };
const page = (stack: string) => `http://127.0.0.1:${port[stack]}`;
const api = (stack: string) => `http://127.0.0.1:${(port[stack] as number) + 1}`;
const text = { old: "Launched with Slipway", new: "Launched by the pipeline" };

interface Release {
  readonly workloads: Record<string, { readonly reference: string }>;
}

describe.skipIf(pulumiCommand === undefined)("a pipeline, from a commit to prod and back", () => {
  let workspace: Workspace;
  let pulumi: PulumiStack;

  /** Starts a command of the pipeline, as the build of that number. */
  function start(build: number, ...args: string[]) {
    return execa(process.execPath, ["ci/cli.ts", ...args], {
      cwd: workspace.path,
      env: { ...pulumi.env, BUILD_NUMBER: String(build) },
      reject: false,
      all: true,
      stdin: "ignore",
    });
  }

  async function ci(build: number, ...args: string[]): Promise<string> {
    const { exitCode, all } = await start(build, ...args);
    if (exitCode !== 0) throw new Error(`ci ${args.join(" ")}: exit ${exitCode}\n${all}`);
    return String(all);
  }

  const record = (build: number) => join(workspace.path, `reports/images-${build}.json`);
  const written = (build: number) => JSON.parse(readFileSync(record(build), "utf8")) as Release;
  const images = async (stack: string) => (await pulumi.output(stack, "images")) as Release["workloads"];
  const digests = async (stack: string) =>
    Object.values(await images(stack)).map(({ reference }) => reference.split("@")[1]);
  const promote = (build: number) => ["promote", "--from", dev, "--to", prod, "--images", record(build)];
  const build = (number: number) => ["build", "--stack", dev, "--images", record(number)];
  const deploy = (build: number) => ["deploy", "--stack", dev, "--images", record(build)];

  beforeAll(async () => {
    workspace = new Workspace(dev);
    for (const stack of [dev, prod]) {
      workspace.configure(
        {
          platform: { kind: "local" },
          exposure: {
            frontend: { type: "NodePort", nodePort: port[stack] },
            api: { type: "NodePort", nodePort: (port[stack] as number) + 1 },
          },
          ...(stack === prod ? { images: { source: "digests" } } : {}),
        },
        stack,
      );
    }
    workspace.write("reports/.keep", "");
    pulumi = new PulumiStack(workspace);
    await pulumi.init(dev);
    await pulumi.init(prod);
    workspace.commit("Configure");
  });

  afterAll(async () => {
    await start(0, "ephemeral", "down", "feature/Walk");
    await pulumi.destroy(prod);
    await pulumi.destroy(dev);
    workspace.remove();
    pulumi.remove();
  });

  test("the first build reaches dev, and by promotion prod, which builds nothing", async () => {
    await ci(1, ...build(1));
    await ci(1, ...deploy(1));
    await ci(1, ...promote(1));
    expect(await images(dev)).toEqual(written(1).workloads);
    expect(await images(prod)).toEqual(await images(dev));
    expect(await pulumi.run("stack", "export", "--stack", prod)).not.toContain("docker:index/image:Image");
    expect((await getGreeting(api(prod))).build).toBe("1");
  });

  test("a changed text is served by dev under the new build number, while prod serves the old", async () => {
    workspace.replace("app/frontend/index.html", text.old, text.new);
    workspace.commit("Say it otherwise");
    await ci(2, ...build(2));
    await ci(2, ...deploy(2));
    await expect.poll(() => getText(page(dev)), { timeout: 15_000 }).toContain(text.new);
    expect((await getGreeting(api(dev))).build).toBe("2");
    expect(await getText(page(prod))).toContain(text.old);
    expect((await getGreeting(api(prod))).build).toBe("1");
  });

  test("the preview of the next promotion tells which stacks would change, and changes neither", async () => {
    const { all } = await start(3, "preview", "--stack", dev, "--target", "HEAD");
    expect(String(all)).toContain(`### ${dev}: no change`);
  });

  test("a stack for a branch runs beside them, and leaves nothing in the checkout", async () => {
    const up = JSON.parse(
      await ci(2, "ephemeral", "up", "feature/Walk", "--base", dev, "--images", record(2), "--json"),
    ) as { stack: string; urls: Record<string, string> };
    expect(up.stack).toMatch(/^eph-feature-walk-[0-9a-f]{6}$/);
    expect(await getText(up.urls.frontend as string)).toContain(text.new);
    expect(workspace.git("status", "--porcelain")).toBe("");
    const namespace = await clients().core.readNamespace({ name: up.stack });
    expect(Date.parse(namespace.metadata?.annotations?.["slipway.dev/expires"] ?? "")).toBeGreaterThan(
      Date.now(),
    );
    const { items } = await clients().core.listNamespacedResourceQuota({ namespace: up.stack });
    expect(items).toHaveLength(1);
  });

  test("a build that dev does not run is refused, and prod stays as it is", async () => {
    const { exitCode, all } = await start(2, ...promote(1));
    expect(exitCode).toBe(1);
    expect(String(all)).toContain(`is refused: ${dev} does not run it well`);
    expect((await getGreeting(api(prod))).build).toBe("1");
  });

  test("approved, prod serves the same digest", async () => {
    await ci(2, ...promote(2));
    expect(await digests(prod)).toEqual(await digests(dev));
    await expect.poll(() => getText(page(prod)), { timeout: 15_000 }).toContain(text.new);
  });

  test("rolled back, prod serves the old text again, and dev the new one", async () => {
    const list = await ci(2, "rollback", "--stack", prod);
    expect(list).toMatch(/^2 .*\(runs\)$/m);
    expect(list).toMatch(/^1 /m);
    await ci(2, "rollback", "--stack", prod, "--to", "1");
    await expect.poll(() => getText(page(prod)), { timeout: 15_000 }).toContain(text.old);
    expect(await images(prod)).toEqual(written(1).workloads);
    expect(await getText(page(dev))).toContain(text.new);
  });

  test("drift is found by its field, and nothing else is", async () => {
    const calm = await start(2, "drift", "--stack", dev, "--stack", prod, "--json");
    expect([calm.exitCode, String(calm.stdout)]).toEqual([0, expect.stringContaining('"changes": []')]);
    await clients().core.deleteNamespacedServiceAccount({ name: "frontend", namespace: dev });
    const scale = { name: "api", namespace: dev };
    const deployment = await clients().apps.readNamespacedDeployment(scale);
    await clients().apps.replaceNamespacedDeployment({
      ...scale,
      body: { ...deployment, spec: { ...deployment.spec, replicas: 1 } as never },
    });
    const { exitCode, all } = await start(2, "drift", "--stack", dev);
    expect(exitCode).toBe(2);
    expect(String(all)).toContain("Deployment api-deployment: spec.replicas");
    expect(String(all)).toContain("ServiceAccount frontend-service-account: is gone");
    await ci(2, "deploy", "--stack", dev);
  });

  test("two deployments at once: the second waits for the first", async () => {
    const results = await Promise.all([start(2, ...deploy(1)), start(2, ...deploy(1))]);
    expect(results.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
    expect((await getGreeting(api(dev))).build).toBe("1");
  });

  test.each([
    ["SIGTERM", 3],
    ["SIGKILL", 4],
  ] as const)("a build that %s ends records nothing, and is finished by the next", async (signal, number) => {
    const command = start(number, ...build(number));
    await new Promise((resolve) => setTimeout(resolve, 2500));
    command.kill(signal);
    expect((await command).exitCode).not.toBe(0);
    expect(existsSync(record(number))).toBe(false);
    await ci(number, ...build(number));
    expect(Object.keys(written(number).workloads)).toEqual(["api", "frontend"]);
  });

  test("with the registry down a build fails with the reason and records nothing; the next is pushed", async () => {
    await crash("registry");
    const { exitCode, all } = await start(5, ...build(5));
    await startEnvironment();
    expect([exitCode, all]).toEqual([1, expect.stringContaining("connection refused")]);
    expect(existsSync(record(5))).toBe(false);
    await ci(5, ...build(5));
    expect(Object.keys(written(5).workloads)).toEqual(["api", "frontend"]);
  });

  /** Interrupts a command as soon as Pulumi is at work on the stack. */
  async function interrupt(
    how: "SIGTERM" | "SIGKILL",
    stack: string,
    args: readonly string[],
  ): Promise<void> {
    const command = start(2, ...args);
    let pid: number | undefined;
    await expect
      .poll(
        async () => {
          const { stdout } = await execa("ps", ["-eo", "pid,args"]);
          pid = stdout
            .split("\n")
            .filter((line) => / (up|destroy) /.test(line) && line.includes(` ${stack}`))
            .filter((line) => line.includes(pulumiCommand as string))
            .map((line) => Number.parseInt(line, 10))[0];
          return pid;
        },
        { timeout: 60_000, interval: 50 },
      )
      .toBeTypeOf("number");
    // In the middle of it: the provider has the first objects by now.
    await new Promise((resolve) => setTimeout(resolve, 3000));
    if (how === "SIGKILL") process.kill(pid as number, how);
    command.kill(how);
    await command;
  }

  test.each(["SIGTERM", "SIGKILL"] as const)(
    "a deployment that %s ends is finished by the next",
    async (signal) => {
      const number = signal === "SIGTERM" ? 2 : 1;
      await interrupt(signal, dev, deploy(number));
      await ci(number, ...deploy(number));
      expect((await getGreeting(api(dev))).build).toBe(String(number));
    },
  );

  test("a promotion that SIGKILL ends is finished by the next", async () => {
    await ci(2, ...deploy(2));
    await interrupt("SIGKILL", prod, promote(2));
    await ci(2, ...promote(2));
    expect(await images(prod)).toEqual(await images(dev));
  });

  test("a branch's stack whose end SIGKILL interrupts is gone after the next gc", async () => {
    const [{ stack }] = JSON.parse(await ci(2, "ephemeral", "list", "--json")) as [{ stack: string }];
    await interrupt("SIGKILL", stack, ["ephemeral", "down", "feature/Walk"]);
    const gone = JSON.parse(await ci(2, "ephemeral", "gc", "--json")) as { destroyed: string[] };
    expect(gone.destroyed).toEqual([stack]);
    expect([...(await stackObjects(clients(), stack)).keys()]).toEqual([]);
    expect(JSON.parse(await ci(2, "ephemeral", "list", "--json"))).toEqual([]);
    expect(workspace.git("status", "--porcelain")).toBe("");
  });
});
