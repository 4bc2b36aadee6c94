import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readDescriptor } from "../../local/descriptor.ts";
import { clients, definitionOf, getGreeting, getText, stackObjects } from "../support/cluster.ts";
import { PulumiStack, pulumiCommand } from "../support/pulumi.ts";
import { Workspace } from "../support/workspace.ts";

const stack = "test-engine";
const frontend = "http://127.0.0.1:30480";
const api = "http://127.0.0.1:30481";

describe.skipIf(pulumiCommand === undefined)("pulumi, on the local stack", () => {
  let workspace: Workspace;
  let pulumi: PulumiStack;

  beforeAll(async () => {
    workspace = new Workspace(stack);
    workspace.configure({
      platform: { kind: "local" },
      exposure: {
        frontend: { type: "NodePort", nodePort: 30480 },
        api: { type: "NodePort", nodePort: 30481 },
      },
    });
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

  test("up: pods answer at the URLs that the stack gives out", async () => {
    const outputs = JSON.parse(await pulumi.run("stack", "output", "--json", "--stack", stack)) as {
      urls: Record<string, string>;
    };
    expect(outputs.urls).toEqual({ api, frontend });
    expect(await getText(frontend)).toContain('<h1 id="headline">');
    expect(await getGreeting(api)).toMatchObject({ text: "Hello from Slipway" });
  });

  test("preview: nothing changed means no step but same", async () => {
    expect(Object.keys(await pulumi.preview())).toEqual(["same"]);
  });

  test("state keeps the pull secret, the registry's password and the kubeconfig encrypted", async () => {
    const state = await pulumi.run("stack", "export", "--stack", stack);
    const { password } = readDescriptor().registry;
    expect(state).not.toContain(password);
    expect(state).not.toContain(Buffer.from(`slipway:${password}`).toString("base64"));
    expect(state).not.toContain("client-key-data");
  });

  test("direct delivery of the same program finds every object as it would make it", async () => {
    const objects = async () =>
      Object.fromEntries(
        [...(await stackObjects(clients(), stack))].map(([name, object]) => [name, definitionOf(object)]),
      );
    const byEngine = await objects();
    await workspace.deliver();
    expect(await objects()).toEqual(byEngine);
    expect(Object.keys(byEngine).length).toBe(22);
  });

  test("change: a new text is served after one up, and the api's pods stay", async () => {
    const { build } = await getGreeting(api);
    workspace.replace("app/frontend/index.html", "Launched with Slipway", "Launched by Pulumi");
    await pulumi.up();
    await expect.poll(() => getText(frontend), { timeout: 10_000 }).toContain("Launched by Pulumi");
    expect((await getGreeting(api)).build).toBe(build);
  });

  test("destroy leaves no namespace", async () => {
    await pulumi.destroy();
    expect([...(await stackObjects(clients(), stack)).keys()]).toEqual([]);
  });
});
