import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { readDescriptor } from "../../local/descriptor.ts";
import { PostgresServer } from "../support/azure/postgres.ts";
import { AzureDouble, provideLoadBalancers } from "../support/azure/stack.ts";
import { clients } from "../support/cluster.ts";
import { PulumiStack, pulumiCommand } from "../support/pulumi.ts";
import { Workspace } from "../support/workspace.ts";

const stack = "test-azure-db";
const ranges = ["203.0.113.0/30", "198.51.100.7/32"];

describe.skipIf(pulumiCommand === undefined)("pulumi, with a database server of Azure's", () => {
  let workspace: Workspace;
  let pulumi: PulumiStack;
  let azure: AzureDouble;
  let postgres: PostgresServer;
  let image: string;
  let stopLoadBalancers = () => {};

  /** Pulumi.dev.yaml, with a burstable server. */
  function configure(change: Record<string, unknown> = {}): void {
    const { config } = parse(workspace.read("Pulumi.dev.yaml")) as { config: Record<string, unknown> };
    workspace.configure({
      platform: config["slipway:platform"],
      images: { source: "build", baseImage: readDescriptor().baseImage },
      workloads: config["slipway:workloads"],
      exposure: config["slipway:exposure"],
      database: {
        kind: "azure",
        sku: "Standard_B1ms",
        access: { kind: "firewall", allowedIpRanges: ranges },
        image,
        ...change,
      },
    });
  }

  beforeAll(async () => {
    workspace = new Workspace(stack);
    postgres = new PostgresServer(`${stack}-server`);
    await postgres.start();
    azure = new AzureDouble();
    await azure.start(postgres.backing);
    image = await azure.registry.adopt(readDescriptor().postgresImage, "slipway/api");
    pulumi = new PulumiStack(workspace, azure.env);
    stopLoadBalancers = provideLoadBalancers(stack, "127.0.0.1");
    await pulumi.init();
    // Azure's certificates are of authorities that everybody knows; the stand-in's is not.
    workspace.replace(
      "infra/application.ts",
      'GREETING: "Hello from Slipway",',
      'GREETING: "Hello from Slipway", NODE_EXTRA_CA_CERTS: "/authority/ca.pem",',
    );
    workspace.replace(
      "infra/application.ts",
      'image: { context: "app/api" },',
      `image: { context: "app/api" },
    config: { mountPath: "/authority", files: { "ca.pem": ${JSON.stringify(postgres.certificate)} } },`,
    );
    configure();
    workspace.commit("Configure");
  });

  afterAll(async () => {
    azure.occupy({});
    // Whatever failed before: a protected server is not destroyed.
    await pulumi.run("state", "unprotect", "--all", "--yes", "--stack", stack);
    await pulumi.destroy();
    stopLoadBalancers();
    azure.stop();
    await postgres.stop();
    workspace.remove();
    pulumi.remove();
  });

  async function api(method: string): Promise<{ readonly total: number }> {
    const { spec } = await clients().core.readNamespacedService({ namespace: stack, name: "api" });
    const url = `http://127.0.0.1:${spec?.ports?.[0]?.nodePort}/api/visits`;
    const response = await fetch(url, { method, headers: { connection: "close" } });
    if (!response.ok) throw new Error(`answered ${response.status}: ${await response.text()}`);
    return (await response.json()) as { total: number };
  }

  const ofServer = (part: string) =>
    Object.entries(azure.resources()).filter(([id]) => id.includes("/flexibleServers/") && id.includes(part));

  test("one run gives an api that reads and writes there, by TLS, as a user that is no superuser", async () => {
    await pulumi.up();
    await api("POST");
    expect((await api("GET")).total).toBe(1);
    const connections =
      "SELECT usename, ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE datname = 'api'";
    expect(new Set(await postgres.query(connections))).toEqual(new Set(["api_1|t"]));
    const powers = "SELECT rolname FROM pg_roles WHERE rolsuper AND rolname <> 'postgres'";
    expect(await postgres.query(powers)).toEqual([]);
  });

  test("the server takes TLS only, and lets in the cluster and the addresses that are named", () => {
    const [[, tls] = []] = ofServer("/configurations/");
    expect(tls).toMatchObject({ configurationName: "require_secure_transport", value: "on" });
    expect(
      ofServer("/firewallRules/").map(([, { startIpAddress, endIpAddress }]) => [
        startIpAddress,
        endIpAddress,
      ]),
    ).toEqual([
      ["203.0.113.17", "203.0.113.17"],
      ["203.0.113.0", "203.0.113.3"],
      ["198.51.100.7", "198.51.100.7"],
    ]);
  });

  test("no password is in what Pulumi keeps, shows or previews", async () => {
    const state = await pulumi.run("stack", "export", "--stack", stack);
    const { data } = await clients().core.readNamespacedSecret({ namespace: stack, name: "database-admin" });
    const password = Buffer.from(data?.PGPASSWORD as string, "base64").toString();
    expect(azure.resources()).toMatchObject({
      [ofServer("")[0]?.[0] as string]: { administratorLoginPassword: password },
    });
    const preview = await pulumi.run("preview", "--json", "--show-sames", "--stack", stack);
    for (const text of [state, preview]) {
      expect(text).not.toContain(password);
      expect(text).not.toContain(data?.PGPASSWORD);
    }
  });

  test("nothing changed means no step but same", async () => {
    expect(await pulumi.plan()).toEqual({});
  });

  test("a larger size, and rotated credentials: the data is there, read by a new user; the one before still signs in", async () => {
    configure({ sku: "Standard_B2s", storageGb: 64, credentials: 2 });
    await pulumi.up();
    expect((await api("GET")).total).toBe(1);
    await api("POST");
    const users = "SELECT rolname FROM pg_roles WHERE rolname ~ '^api_' AND rolcanlogin ORDER BY 1";
    expect(await postgres.query(users)).toEqual(["api_1", "api_2"]);
    const serving = "SELECT DISTINCT usename FROM pg_stat_activity WHERE datname = 'api'";
    expect(await postgres.query(serving)).toContain("api_2");
  });

  test("storage that shrinks is refused, with the key, before anything changes", async () => {
    configure({ sku: "Standard_B2s", storageGb: 32, credentials: 2 });
    await expect(pulumi.up()).rejects.toThrow(
      'slipway:database.storageGb = "32": was "64" and cannot be lowered: Azure only raises it. Set it to 64 or more.',
    );
    configure({ sku: "Standard_B2s", storageGb: 64, credentials: 2 });
    expect(await pulumi.plan()).toEqual({});
  });

  test("a server that is busy is left alone, with what Azure says; the next run finishes", async () => {
    configure({ sku: "Standard_B2ms", storageGb: 64, credentials: 2 });
    azure.occupy({ [ofServer("")[0]?.[0] as string]: "Upgrading" });
    await expect(pulumi.up()).rejects.toThrow('Code="ServerIsBusy"');
    azure.occupy({});
    await pulumi.up();
    expect(ofServer("")[0]?.[1]).toMatchObject({ sku: { name: "Standard_B2ms" } });
  });

  test("a stack whose server is protected is not destroyed, nothing of it; without protection it is", async () => {
    const before = Object.keys(azure.resources());
    await expect(pulumi.run("destroy", "--yes", "--stack", stack)).rejects.toThrow(
      /database-server[\s\S]*cannot be deleted[\s\S]*protect/,
    );
    expect(Object.keys(azure.resources())).toEqual(before);
    expect((await api("GET")).total).toBe(2);
    configure({ sku: "Standard_B2ms", storageGb: 64, credentials: 2, deletionProtection: false });
    await pulumi.up();
    await pulumi.destroy();
    expect(azure.resources()).toEqual({});
  });
});
