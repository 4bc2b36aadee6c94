import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { readDescriptor } from "../../local/descriptor.ts";
import { AzureDouble, provideLoadBalancers } from "../support/azure/stack.ts";
import { clients, getGreeting, getText, stackObjects } from "../support/cluster.ts";
import { PulumiStack, pulumiCommand } from "../support/pulumi.ts";
import { Workspace } from "../support/workspace.ts";

const stack = "test-azure";
type Platform = { readonly cluster: Record<string, unknown>; readonly [key: string]: unknown };

describe.skipIf(pulumiCommand === undefined)("pulumi, on a double of Azure", () => {
  let workspace: Workspace;
  let pulumi: PulumiStack;
  let azure: AzureDouble;
  let stopLoadBalancers: () => void;

  /** Pulumi.dev.yaml, but for what the double cannot do: passwords of tokens come from Azure itself. */
  function configure(
    change: { readonly cluster?: Record<string, unknown>; readonly [key: string]: unknown } = {},
  ): void {
    const { config } = parse(workspace.read("Pulumi.dev.yaml")) as { config: Record<string, unknown> };
    const platform = config["slipway:platform"] as Platform;
    const { cluster, ...rest } = change;
    workspace.configure({
      platform: {
        ...platform,
        registry: { pull: { kind: "admin" } },
        ...rest,
        cluster: { ...platform.cluster, ...cluster },
      },
      images: { source: "build", baseImage: readDescriptor().baseImage },
      workloads: config["slipway:workloads"],
      exposure: config["slipway:exposure"],
    });
  }

  beforeAll(async () => {
    workspace = new Workspace(stack);
    azure = new AzureDouble();
    await azure.start();
    pulumi = new PulumiStack(workspace, azure.env);
    stopLoadBalancers = provideLoadBalancers(stack, "127.0.0.1");
    await pulumi.init();
    configure();
    workspace.commit("Configure");
  });

  afterAll(async () => {
    await pulumi.destroy();
    stopLoadBalancers();
    azure.stop();
    workspace.remove();
    pulumi.remove();
  });

  async function nodePort(name: string): Promise<string> {
    const { spec } = await clients().core.readNamespacedService({ namespace: stack, name });
    return `http://127.0.0.1:${spec?.ports?.[0]?.nodePort}`;
  }

  test("a quota that Azure refuses ends the run, and the next one goes on from there", async () => {
    azure.fail(
      "azure-native:containerservice:ManagedCluster",
      "QuotaExceeded: 4 vCPUs left in westeurope, 8 needed",
    );
    await expect(pulumi.up()).rejects.toThrow("QuotaExceeded: 4 vCPUs left in westeurope, 8 needed");
    azure.fail("", undefined);
    await pulumi.up();
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
    expect(made.length).toBe(9);
    for (const [id, { location, tags }] of made) {
      expect(id).toContain(`/resourceGroups/rg-slipway-${stack}`);
      if (location !== undefined) expect(location).toBe("westeurope");
      if (tags !== undefined) expect(tags).toEqual({ project: "slipway", stack, environment: "development" });
    }
  });

  test("preview: nothing changed means no step but same", async () => {
    expect(Object.keys(await pulumi.preview())).toEqual(["same"]);
  });

  test.each([
    ["the tier", { cluster: { tier: "Standard" } }],
    ["the Kubernetes version", { cluster: { kubernetesVersion: "1.35" } }],
    ["the number of system nodes", { cluster: { systemPool: { vmSize: "Standard_B2s", count: 3 } } }],
    [
      "who may reach the API server",
      { cluster: { apiServerAccess: { kind: "public", authorizedIpRanges: ["203.0.113.0/24"] } } },
    ],
    ["the registry's SKU", { registry: { sku: "Standard", pull: { kind: "admin" } } }],
  ])("%s changes in place: nothing is replaced", async (_, change) => {
    configure(change);
    expect(await pulumi.lost()).toEqual([]);
  });

  test("what would replace the cluster or the registry is refused, with what would be lost", async () => {
    configure({ location: "northeurope", cluster: { apiServerAccess: { kind: "private" } } });
    const refused = await pulumi.run("preview", "--stack", stack).catch((error: Error) => error.message);
    expect(refused).toContain(
      'slipway:platform.location = "northeurope": was "westeurope" and cannot be changed in place: it would replace the AKS cluster, with every workload, volume, certificate and load balancer address in it, and the container registry, with every image in it. Set it back; or, to lose that, set slipway:platform.allowReplace to true for one run.',
    );
    expect(refused).toContain(
      'slipway:platform.cluster.apiServerAccess.kind = "private": was "public" and cannot be changed in place: it would replace the AKS cluster,',
    );
  });

  test("with allowReplace a move to another region replaces cluster and registry, and the preview says so", async () => {
    configure({ location: "northeurope", allowReplace: true });
    expect(await pulumi.lost()).toEqual(
      expect.arrayContaining([
        "azure-native:containerregistry:Registry",
        "azure-native:containerservice:ManagedCluster",
      ]),
    );
  });

  test("a second pool is added beside the others", async () => {
    configure({ cluster: { userPools: { apps: { vmSize: "Standard_D2s_v5" } } } });
    const { create, replace = 0, delete: deleted = 0 } = await pulumi.preview();
    expect([create, replace, deleted]).toEqual([1, 0, 0]);
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

  test("destroy leaves nothing on Azure and nothing in the cluster", async () => {
    await pulumi.destroy();
    expect(azure.resources()).toEqual({});
    expect([...(await stackObjects(clients(), stack)).keys()]).toEqual([]);
  });
});
