import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { readDescriptor } from "../../local/descriptor.ts";
import {
  defineSecretProviderClasses,
  secretProviderClasses,
} from "../support/azure/secretProviderClasses.ts";
import { AzureDouble, provideLoadBalancers } from "../support/azure/stack.ts";
import { clients, getGreeting, getText, stackObjects } from "../support/cluster.ts";
import { PulumiStack, pulumiCommand } from "../support/pulumi.ts";
import { Workspace } from "../support/workspace.ts";

const stack = "test-azure";
const team = { kind: "existing", resourceGroup: "rg-team" };
type Platform = { readonly cluster: Record<string, unknown>; readonly [key: string]: unknown };

describe.skipIf(pulumiCommand === undefined)("pulumi, on a double of Azure", () => {
  let workspace: Workspace;
  let pulumi: PulumiStack;
  let azure: AzureDouble;
  let stopLoadBalancers: () => void;
  let removeCrd = async () => {};

  /** Pulumi.dev.yaml, but for these changes of its platform and of its other keys. */
  function configure(
    change: { readonly cluster?: Record<string, unknown>; readonly [key: string]: unknown } = {},
    others: Record<string, unknown> = {},
  ): void {
    const { config } = parse(workspace.read("Pulumi.dev.yaml")) as { config: Record<string, unknown> };
    const platform = config["slipway:platform"] as Platform;
    const { cluster, ...rest } = change;
    workspace.configure({
      platform: {
        ...platform,
        ...rest,
        cluster: { ...platform.cluster, ...cluster },
      },
      images: { source: "build", baseImage: readDescriptor().baseImage },
      workloads: config["slipway:workloads"],
      exposure: config["slipway:exposure"],
      ...others,
    });
  }

  beforeAll(async () => {
    workspace = new Workspace(stack);
    azure = new AzureDouble();
    await azure.start();
    azure.arm.throttled = 2;
    pulumi = new PulumiStack(workspace, azure.env);
    stopLoadBalancers = provideLoadBalancers(stack, "127.0.0.1");
    await pulumi.init();
    // Its image is in no repository of the stack's, and so not the tokens' to pull.
    workspace.withoutDatabase();
    configure();
    workspace.commit("Configure");
  });

  afterAll(async () => {
    await pulumi.destroy();
    await removeCrd();
    stopLoadBalancers();
    azure.stop();
    workspace.remove();
    pulumi.remove();
  });

  async function nodePort(name: string): Promise<string> {
    const { spec } = await clients().core.readNamespacedService({ namespace: stack, name });
    return `http://127.0.0.1:${spec?.ports?.[0]?.nodePort}`;
  }

  // In the order in which they are made.
  test.each([
    ["UserAssignedIdentity", "managedidentity", "TooManyRequests: retried in vain"],
    ["RoleAssignment", "authorization", "AuthorizationFailed: the deployer may not assign roles"],
    ["ManagedCluster", "containerservice", "QuotaExceeded: 4 vCPUs left in westeurope, 8 needed"],
  ])("a %s that Azure refuses ends the run, and says why", async (type, module, message) => {
    azure.fail(`azure-native:${module}:${type}`, { message });
    await expect(pulumi.up()).rejects.toThrow(message);
    azure.fail("", undefined);
  });

  test("the next run goes on from there, and Azure's asking to wait was heeded", async () => {
    await pulumi.up();
    expect(azure.arm.throttled).toBe(0);
    expect(await getText(await nodePort("frontend"))).toContain('<h1 id="headline">');
  });

  test("one run gives pods that answer, and the page the address that the load balancer got", async () => {
    expect(await pulumi.output(stack, "urls")).toEqual({
      api: "http://127.0.0.1",
      frontend: "http://127.0.0.1",
    });
    expect(JSON.parse(await getText(`${await nodePort("frontend")}/config/config.json`))).toEqual({
      apiUrl: "http://127.0.0.1",
    });
    expect(await getGreeting(await nodePort("api"))).toMatchObject({ text: "Hello from Slipway" });
  });

  test("everything on Azure is in one resource group, in one place, with the stack's tags", () => {
    const made = Object.entries(azure.resources());
    expect(made.length).toBe(13);
    for (const [id, { location, tags }] of made) {
      expect(id).toContain(`/resourceGroups/rg-slipway-${stack}`);
      if (location !== undefined) expect(location).toBe("westeurope");
      if (tags !== undefined) expect(tags).toEqual({ project: "slipway", stack, environment: "development" });
    }
  });

  /** User and password in the namespace's pull secret. */
  async function pullUser(): Promise<{ readonly username: string; readonly password: string }> {
    const { data } = await clients().core.readNamespacedSecret({ namespace: stack, name: "registry-pull" });
    const { auths } = JSON.parse(Buffer.from(data?.[".dockerconfigjson"] ?? "", "base64").toString());
    return auths[azure.registry.server];
  }
  /** Password of the registry's user that may only pull. */
  async function pullPassword(): Promise<string> {
    const { username, password } = await pullUser();
    expect(username).toBe("pull-images");
    return password;
  }
  const passwordsOf = (token: string) =>
    [...(azure.arm.passwords.get(token) ?? [])].map(([slot, { value }]) => [slot, value]);

  test("images are pushed by one token and pulled by another, which can do nothing else", async () => {
    const { used, server } = azure.registry;
    expect(used.filter(({ user }) => user === "pull-images").length).toBeGreaterThan(0);
    expect([...new Set(used.map(({ user }) => user))].sort()).toEqual(["pull-images", "push-images"]);
    const authorization = `Basic ${Buffer.from(`pull-images:${await pullPassword()}`).toString("base64")}`;
    const status = async (method: string, path: string) =>
      (await fetch(`http://${server}/v2/${path}`, { method, headers: { authorization } })).status;
    expect(await status("GET", "slipway/api/tags/list")).toBe(200);
    expect(await status("POST", "slipway/api/blobs/uploads/")).toBe(403);
    expect(await status("GET", "somebody/else/tags/list")).toBe(403);
  });

  test("a rotated token is in the pull secret after the same run, and the password before still signs in", async () => {
    const before = await pullPassword();
    configure({ registry: { pull: { kind: "token", rotation: "2", expiry: "2100-01-01" } } });
    expect(await pulumi.lost()).toEqual([]);
    await pulumi.up();
    const after = await pullPassword();
    expect(after).not.toBe(before);
    expect(passwordsOf("pull-images")).toEqual([
      ["password1", before],
      ["password2", after],
    ]);
    expect(azure.arm.passwords.get("pull-images")?.get("password2")?.expiry).toContain("2100-01-01");
    expect(Object.keys(await pulumi.preview())).toEqual(["same"]);
    configure({ registry: { pull: { kind: "token", rotation: "1" } } });
    await pulumi.up();
    expect(await pullPassword()).toBe(passwordsOf("pull-images")[0]?.[1]);
    configure();
  });

  test("the registry's admin user pulls where the stack says so, with a warning, and is off again after", async () => {
    const adminIsOn = () =>
      Object.values(azure.resources()).find(({ registryName, sku }) => registryName && sku)?.adminUserEnabled;
    configure({ registry: { pull: { kind: "admin" } } });
    expect(await pulumi.up()).toContain("for trials only");
    expect((await pullUser()).username).toBe(readDescriptor().registry.username);
    expect(adminIsOn()).toBe(true);
    expect(azure.arm.revoked.splice(0).sort()).toEqual(["pull-images", "push-images"]);
    configure();
    await pulumi.up();
    await pullPassword();
    expect(adminIsOn()).toBe(false);
  });

  test("preview: nothing changed means no step but same", async () => {
    expect(Object.keys(await pulumi.preview())).toEqual(["same"]);
  });

  test("a tag changes in place: cluster, pools and registry stay", async () => {
    configure({ tags: { team: "a" } });
    // The double gives no outputs in a preview, so an identity that changes leaves the principal of its role unknown.
    expect(await pulumi.lost()).toEqual(["azure-native:authorization:RoleAssignment"]);
    await pulumi.up();
    for (const { tags } of Object.values(azure.resources()))
      if (tags !== undefined) expect(tags).toMatchObject({ team: "a" });
  });

  test("a region where Azure has no such thing is refused before anything is created", async () => {
    configure({ location: "atlantis", allowReplace: true });
    await expect(pulumi.preview()).rejects.toThrow("LocationNotAvailableForResourceType: 'atlantis'");
    configure();
  });

  test("who is not signed in is told how", async () => {
    azure.signOut();
    await expect(pulumi.run("preview", "--stack", stack)).rejects.toThrow(
      /slipway:platform\.cluster\.login = "azurecli": needs somebody to be signed in to Azure: .*Sign in by: az login\./,
    );
    azure.signIn();
  });

  describe("with host names, Key Vaults and monitoring", () => {
    const secret = { api: { TOKEN: { keyVault: "kv-test-azure/token" } } };
    const vaults = { "kv-test-azure": { kind: "new", retentionDays: 7 }, "kv-team": team };
    // The embedded environment has no CSI driver: there are the objects, but no pods to mount anything.
    const others = {
      secrets: secret,
      workloads: { api: { replicas: 0 }, frontend: { replicas: 0 } },
      exposure: {
        frontend: { type: "Ingress", host: "shop.example.com", tls: { keyVault: "kv-team/shop" } },
        api: { type: "LoadBalancer", dnsLabel: "slipway-test" },
      },
    };
    const change = {
      keyVaults: vaults,
      tags: { team: "a" },
      cluster: {
        appRouting: {},
        monitoring: { kind: "containerInsights" },
      },
    };
    const pools = { userPools: { apps: { vmSize: "Standard_D2s_v5" } } };
    const withPool = { ...change, cluster: { ...change.cluster, ...pools } };
    beforeAll(async () => {
      removeCrd = await defineSecretProviderClasses();
      workspace.replace(
        "infra/application.ts",
        'image: { context: "app/api" },',
        'image: { context: "app/api" },\n    secretEnv: ["TOKEN"],',
      );
      configure(change, others);
    });

    const mounted = () => secretProviderClasses(stack);
    const made = (part: string) => Object.keys(azure.resources()).filter((id) => id.includes(part));

    test("a secret that is not in the stack's new vault yet ends the run, with how to set it", async () => {
      await expect(pulumi.up()).rejects.toThrow(
        'slipway:secrets.api.TOKEN.keyVault = "kv-test-azure/token": is not in Azure: the resource group rg-slipway-test-azure has no such vault, or the vault no such secret. Set it: az keyvault secret set --vault-name kv-test-azure --name token --file FILE.',
      );
      expect(made("Microsoft.KeyVault/vaults/kv-test-azure")).toHaveLength(1);
    });

    test("a node pool that gets stuck ends the run, and stays for the next one to go on with", async () => {
      configure(withPool, others);
      azure.setSecrets({ "kv-test-azure/token": "version-1" });
      const message = "the pool is stuck in Creating: gave up after 30 minutes";
      azure.fail("azure-native:containerservice:AgentPool", { message, made: true });
      await expect(pulumi.up()).rejects.toThrow(message);
      expect(made("/agentPools/apps")).toHaveLength(1);
      azure.fail("", undefined);
      await pulumi.up();
      expect(await pulumi.output(stack, "urls")).toEqual({
        api: "http://slipway-test.westeurope.cloudapp.azure.com",
        frontend: "https://shop.example.com",
      });
    });

    test("each workload has an identity for its own secret, which the cluster's objects name", async () => {
      expect(
        made("/secrets/")
          .map((id) => id.split("/vaults/")[1]?.split("/providers/")[0])
          .sort(),
      ).toEqual(["kv-team/secrets/shop", "kv-test-azure/secrets/token"]);
      const classes = await mounted();
      const parameters = classes.map(({ spec }) => [spec.parameters.keyvaultName, spec.parameters.clientID]);
      expect(parameters.sort()).toEqual([
        ["kv-team", "client-of-id-slipway-test-azure-frontend"],
        ["kv-test-azure", "client-of-id-slipway-test-azure-api"],
      ]);
    });

    test("a rotated secret gives the pods another object to mount, and takes the old one away", async () => {
      const before = (await mounted()).map(({ metadata }) => metadata.name).sort();
      azure.setSecrets({ "kv-test-azure/token": "version-2" });
      await pulumi.up();
      const after = (await mounted()).map(({ metadata }) => metadata.name).sort();
      expect(after[0]).toMatch(/^api-vault-/);
      expect(after[0]).not.toBe(before[0]);
      expect(after[1]).toBe(before[1]);
    });

    test("nothing changed means no step but same", async () => {
      expect(Object.keys(await pulumi.preview())).toEqual(["same"]);
    });
  });

  test("destroy leaves nothing on Azure and nothing in the cluster", async () => {
    await pulumi.destroy();
    expect(azure.resources()).toEqual({});
    expect(azure.arm.revoked.sort()).toEqual(["pull-images", "push-images"]);
    expect([...(await stackObjects(clients(), stack)).keys()]).toEqual([]);
  });
});
