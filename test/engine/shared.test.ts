import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { clients, getGreeting, stackObjects } from "../support/cluster.ts";
import { PulumiStack, pulumiCommand } from "../support/pulumi.ts";
import { Workspace } from "../support/workspace.ts";

const owner = "test-owner";
const guest = "test-guest";

function ports(first: number) {
  return { frontend: { type: "NodePort", nodePort: first }, api: { type: "NodePort", nodePort: first + 1 } };
}

describe.skipIf(pulumiCommand === undefined)("pulumi, with two stacks on one platform", () => {
  let workspace: Workspace;
  let pulumi: PulumiStack;

  function configureGuest(changes: { readonly [key: string]: unknown } = {}): void {
    workspace.configure(
      {
        platform: { kind: "shared", stack: `organization/slipway/${owner}` },
        images: { source: "promote", stack: `organization/slipway/${owner}` },
        exposure: ports(30690),
        quota: { cpu: "1", memory: "2Gi", pods: 10 },
        workloads: {
          api: { replicas: 1, env: { GREETING: "Hello from the guest" } },
          frontend: { replicas: 1 },
        },
        ...changes,
      },
      guest,
    );
  }

  beforeAll(async () => {
    workspace = new Workspace(owner);
    workspace.configure({ platform: { kind: "local" }, exposure: ports(30680) });
    configureGuest();
    workspace.commit("Configure");
    pulumi = new PulumiStack(workspace);
    await pulumi.init();
    await pulumi.init(guest);
  });

  afterAll(async () => {
    await pulumi.destroy(guest);
    await pulumi.destroy();
    workspace.remove();
    pulumi.remove();
  });

  test("a stack whose platform is not there yet is told which one to deploy first", async () => {
    await expect(pulumi.up(guest)).rejects.toThrow(
      `slipway:platform.stack = "organization/slipway/${owner}": has no platform to share. Deploy it first: pulumi up --stack organization/slipway/${owner}.`,
    );
    expect([...(await stackObjects(clients(), guest)).keys()]).toEqual([]);
  });

  test("the guest runs the very digests that its owner runs, in a namespace of its own, and builds nothing", async () => {
    await pulumi.up();
    const output = await pulumi.up(guest);
    expect(output).not.toContain("docker:index");
    const images = async (stack: string) =>
      (await pulumi.output(stack, "images")) as Record<string, { reference: string }>;
    expect(await images(guest)).toEqual(await images(owner));
    expect((await getGreeting("http://127.0.0.1:30691")).text).toBe("Hello from the guest");
    expect((await getGreeting("http://127.0.0.1:30681")).text).toBe("Hello from Slipway");
  });

  test("what the owner shares is encrypted in its state", async () => {
    const state = await pulumi.run("stack", "export", "--stack", owner);
    expect(state).not.toContain("client-key-data");
    expect(await pulumi.output(owner, "platform")).toBe("[secret]");
  });

  test("the guest goes without a trace in the owner", async () => {
    const before = [...(await stackObjects(clients(), owner)).keys()].sort();
    await pulumi.destroy(guest);
    expect([...(await stackObjects(clients(), guest)).keys()]).toEqual([]);
    expect([...(await stackObjects(clients(), owner)).keys()].sort()).toEqual(before);
  });

  test("a guest that was destroyed and keeps its volume has its data after the next up", async () => {
    const api = "http://127.0.0.1:30691/api/visits";
    const total = async (method: string) =>
      ((await (await fetch(api, { method })).json()) as { readonly total: number }).total;
    configureGuest({ database: { kind: "inCluster", keepVolume: true } });
    await pulumi.up(guest);
    const before = await total("POST");
    expect(before).toBeGreaterThan(0);
    await pulumi.destroy(guest);
    expect([...(await stackObjects(clients(), guest)).keys()]).toContainEqual(
      expect.stringContaining("database-data"),
    );
    await pulumi.up(guest);
    expect(await total("GET")).toBe(before);
    configureGuest();
    await pulumi.up(guest);
  });
});
