import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { clients, getText } from "../support/cluster.ts";
import { PulumiStack, pulumiCommand } from "../support/pulumi.ts";
import { Workspace } from "../support/workspace.ts";

const stack = "test-engine-canary";
const page = "http://127.0.0.1:30460";

describe.skipIf(pulumiCommand === undefined)("pulumi up, on a canary", () => {
  let workspace: Workspace;
  let pulumi: PulumiStack;

  function configure(path: string, env: Readonly<Record<string, string>> = {}): void {
    const analysis = { kind: "web", path, intervalSeconds: 1, count: 2 };
    const strategy = { kind: "canary", steps: [{ weight: 50 }, { analysis: true }], analysis };
    const resources = { requests: { cpu: "5m", memory: "32Mi" } };
    workspace.configure({
      platform: { kind: "local" },
      delivery: { kind: "push", atomic: true },
      exposure: {
        frontend: { type: "NodePort", nodePort: 30460 },
        api: { type: "NodePort", nodePort: 30461 },
      },
      workloads: {
        api: { replicas: 1, resources },
        frontend: { rolloutDeadlineSeconds: 30, strategy, env, resources },
      },
    });
  }

  async function rollout(): Promise<{ phase?: string; stableRS?: string }> {
    const { status = {} } = (await clients().custom.getNamespacedCustomObject({
      group: "argoproj.io",
      version: "v1alpha1",
      namespace: stack,
      plural: "rollouts",
      name: "frontend",
    })) as { status?: { phase?: string; stableRS?: string } };
    return status;
  }

  beforeAll(async () => {
    workspace = new Workspace(stack);
    // A database is not what this is about.
    workspace.withoutDatabase();
    configure("/readyz");
    workspace.commit("Configure");
    // Argo Rollouts, of the environment.
    await workspace.deliver();
    await workspace.run("destroy", "--deliver", "direct");
    pulumi = new PulumiStack(workspace);
    await pulumi.init();
    await pulumi.up();
  });

  afterAll(async () => {
    await workspace.run("destroy", "--deliver", "direct");
    workspace.remove();
    pulumi.remove();
  });

  test("waits until it is through, and then has nothing to change", async () => {
    const { stableRS } = await rollout();
    configure("/readyz", { TZ: "UTC" });
    await pulumi.up();
    expect(await rollout()).toMatchObject({ phase: "Healthy" });
    expect((await rollout()).stableRS).not.toBe(stableRS);
    expect(Object.keys(await pulumi.preview())).toEqual(["same"]);
  });

  test("fails with what the analysis found, and, atomic, leaves nothing of it", async () => {
    const { stableRS } = await rollout();
    configure("/not-there", { TZ: "Asia/Tokyo" });
    const output = await pulumi.up().then(
      () => "it did not fail",
      (error: Error) => error.message,
    );
    expect(output).toContain(`Rollout ${stack}/frontend: Degraded: RolloutAborted`);
    expect(output).toContain("web: Error: received non 2xx response code: 404");
    expect(output).toContain("the release before was put back: Rollout test-engine-canary/frontend");
    expect(await rollout()).toMatchObject({ phase: "Healthy", stableRS });
    expect(await getText(page)).toContain("<h1");
  });

  test("recovers by the next good release", async () => {
    configure("/readyz", { TZ: "Europe/Berlin" });
    await pulumi.up();
    expect(await rollout()).toMatchObject({ phase: "Healthy" });
    expect(Object.keys(await pulumi.preview())).toEqual(["same"]);
  });
});
