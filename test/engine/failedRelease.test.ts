import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { clients, getGreeting, getText } from "../support/cluster.ts";
import { PulumiStack, pulumiCommand } from "../support/pulumi.ts";
import { Workspace } from "../support/workspace.ts";

const stack = "test-engine-failure";
const frontend = "http://127.0.0.1:30470";
const api = "http://127.0.0.1:30471";

describe.skipIf(pulumiCommand === undefined)("pulumi up, on a release that fails", () => {
  let workspace: Workspace;
  let pulumi: PulumiStack;

  function configure(
    env: { readonly api?: object; readonly frontend?: object } = {},
    delivery: object = { kind: "push" },
  ): void {
    const soon = { rolloutDeadlineSeconds: 15 };
    workspace.configure({
      platform: { kind: "local" },
      delivery,
      exposure: {
        frontend: { type: "NodePort", nodePort: 30470 },
        api: { type: "NodePort", nodePort: 30471 },
      },
      workloads: {
        api: { ...soon, replicas: 1, env: env.api ?? {} },
        frontend: { ...soon, replicas: 1, env: env.frontend ?? {} },
      },
    });
  }

  /** An update that must fail. @returns what it says, and how many seconds it took */
  async function upInVain(...options: string[]): Promise<{ output: string; seconds: number }> {
    const begin = performance.now();
    const output = await pulumi.run("up", "--yes", "--skip-preview", "--stack", stack, ...options).then(
      () => {
        throw new Error("it did not fail");
      },
      (error: Error) => error.message,
    );
    expect(await getText(frontend)).toContain("<h1");
    return { output, seconds: (performance.now() - begin) / 1000 };
  }

  async function revision(): Promise<string | undefined> {
    const { items } = await clients().core.listNamespacedPod({
      namespace: stack,
      labelSelector: "app.kubernetes.io/name=frontend",
    });
    const ready = items.filter(({ status }) =>
      status?.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True"),
    );
    expect(ready).toHaveLength(1);
    return ready[0]?.metadata?.labels?.["pod-template-hash"];
  }

  beforeAll(async () => {
    workspace = new Workspace(stack);
    configure();
    workspace.commit("Configure");
    pulumi = new PulumiStack(workspace);
    await pulumi.init();
    await pulumi.up();
  });

  afterAll(async () => {
    await workspace.run("destroy", "--deliver", "direct");
    workspace.remove();
    pulumi.remove();
  });

  test("ends within the workload's deadline with the pod, the event and its last log lines", async () => {
    const before = await revision();
    configure({ frontend: { PORT: "http" } });
    const { output, seconds } = await upInVain();
    expect(seconds).toBeLessThan(60);
    expect(output).toContain(`Deployment ${stack}/frontend`);
    expect(output).toContain(
      "must make progress within 15 s; the pods of the last good release keep serving",
    );
    expect(output).toMatch(/Pod frontend-\S+/);
    expect(output).toMatch(/BackOff: /);
    expect(output).toMatch(/log: .*PORT="http": must be a whole number/);
    expect(await revision()).toBe(before);
  });

  test("fails again when it is tried again, and the release before recovers", async () => {
    const { output } = await upInVain();
    expect(output).toMatch(/log: .*PORT="http"/);
    configure();
    await pulumi.up();
    expect(Object.keys(await pulumi.preview())).toEqual(["same"]);
  });

  test("puts every workload of the release before back where it is atomic", async () => {
    const before = await revision();
    const broken = { api: { GREETING: "Half a release" }, frontend: { PORT: "http" } };
    configure(broken, { kind: "push", atomic: true });
    const { output } = await upInVain();
    expect(output).toMatch(/log: .*PORT="http"/);
    expect(output).toContain("the release before was put back");
    expect(await revision()).toBe(before);
    await expect.poll(async () => (await getGreeting(api)).text).toBe("Hello from Slipway");
  });

  test("is not taken for good when the same is tried again without a refresh", async () => {
    expect((await upInVain()).output).toContain("this one failed, and was taken back");
  });

  test("is followed by the next good one, with nothing of the failed one left", async () => {
    configure({ api: { GREETING: "Whole again" } }, { kind: "push", atomic: true });
    await pulumi.up();
    expect((await getGreeting(api)).text).toBe("Whole again");
    const { spec, metadata } = await clients().apps.readNamespacedDeployment({
      namespace: stack,
      name: "frontend",
    });
    expect(spec?.template.spec?.containers[0]?.env?.map(({ name }) => name)).toEqual([
      "BUILD_NUMBER",
      "POD_NAME",
    ]);
    expect(Object.keys(metadata?.annotations ?? {})).not.toContain("slipway.dev/put-back");
    expect(Object.keys(await pulumi.preview())).toEqual(["same"]);
  });
});
