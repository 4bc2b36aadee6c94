import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type Change,
  everything,
  inPlace,
  replacingCluster,
  replacingMore,
  replacingPool,
  server,
  serverInPlace,
  serverRefused,
  vault,
  withChanges,
} from "../support/azure/changes.ts";
import { AzureDouble } from "../support/azure/stack.ts";
import { PulumiStack, pulumiCommand } from "../support/pulumi.ts";
import { Workspace } from "../support/workspace.ts";

const stack = "test-changes";
const busy =
  'Status=409 Code="OperationNotAllowed" Message="Operation is not allowed: Another operation (Upgrading) is in progress, please wait for it to finish';

describe.skipIf(pulumiCommand === undefined)("pulumi, on a platform of which everything is there", () => {
  let workspace: Workspace;
  let pulumi: PulumiStack;
  let azure: AzureDouble;

  /** The platform with these changes, and nothing that runs on it. */
  const configure = (platform: object, database: object = server) =>
    workspace.configure({
      platform,
      images: { source: "digests", release: { build: "1", workloads: {} } },
      exposure: { api: { type: "LoadBalancer" }, frontend: { type: "LoadBalancer" } },
      database,
    });
  const change = (changes: readonly Change[], more: object = {}) =>
    configure({ ...withChanges(changes), ...more });

  beforeAll(async () => {
    workspace = new Workspace(stack);
    azure = new AzureDouble();
    await azure.start();
    pulumi = new PulumiStack(workspace, azure.env);
    await pulumi.init();
    configure(everything);
    await pulumi.up();
  });

  afterAll(async () => {
    await pulumi.destroy();
    azure.stop();
    workspace.remove();
    pulumi.remove();
  });

  /** Effects of changes together, as a plan tells them. */
  function effectsOf(changes: readonly Change[]): Record<string, readonly string[] | "create"> {
    const all: Record<string, readonly string[] | "create"> = {};
    for (const { effect } of changes)
      for (const [name, inputs] of Object.entries(effect))
        all[name] =
          inputs === "create" ? inputs : [...new Set([...((all[name] as string[]) ?? []), ...inputs])].sort();
    return all;
  }

  test("each mutable key updates the resource that it belongs to by just its inputs, and replaces nothing", async () => {
    change(inPlace);
    const planned = await pulumi.plan();
    const effects = Object.entries(planned).map(([name, { op, changed }]) => [
      name,
      op === "update" ? [...changed].sort() : op,
    ]);
    expect(Object.fromEntries(effects)).toEqual(effectsOf(inPlace));
  });

  test.each([
    ["what watches the cluster", { cluster: { monitoring: { kind: "managedPrometheus" } } }],
    ["a cluster that nothing watches", { cluster: { monitoring: { kind: "none" } } }],
    ["application routing off", { cluster: { appRouting: undefined } }],
    ["no Key Vaults", { keyVaults: undefined }],
    [
      "an upgrade channel that owns the version",
      { cluster: { upgradeChannel: "stable", kubernetesVersion: "1.30" } },
    ],
  ])(
    "%s: the cluster is updated",
    async (_, { cluster, ...rest }: { cluster?: object; keyVaults?: undefined }) => {
      configure({ ...everything, ...rest, cluster: { ...everything.cluster, ...cluster } });
      const planned = await pulumi.plan();
      expect(planned["azure-cluster"]?.op).toBe("update");
      expect(planned["azure-cluster"]?.changed).not.toContain("kubernetesVersion");
      for (const kept of ["azure-registry", "azure-pool-apps", "azure-resource-group"])
        expect(planned).not.toHaveProperty(kept);
    },
  );

  test.each(["admin", "kubeletIdentity"])(
    "how the cluster pulls, as %s: the registry is updated at most",
    async (kind) => {
      configure({ ...everything, registry: { ...everything.registry, pull: { kind } } });
      const { "azure-registry": registry, "azure-cluster": cluster } = await pulumi.plan();
      expect([registry?.op, registry?.changed]).toEqual(
        kind === "admin" ? ["update", ["adminUserEnabled"]] : [undefined, undefined],
      );
      expect(cluster).toBeUndefined();
    },
  );

  test("what cannot be changed of a node pool replaces it, and nothing else", async () => {
    change(replacingPool);
    const planned = await pulumi.plan();
    expect(Object.keys(planned)).toEqual(["azure-pool-apps"]);
    expect(planned["azure-pool-apps"]?.op).toBe("replace");
    expect([...(planned["azure-pool-apps"]?.replacing ?? [])].sort()).toEqual(
      effectsOf(replacingPool)["azure-pool-apps"],
    );
  });

  test("what cannot be changed of cluster or registry is refused, every key of it at once", async () => {
    const changes = [...replacingCluster, ...replacingMore];
    change(changes);
    const refused = await pulumi.refusal();
    for (const { key } of changes) expect(refused).toContain(`slipway:platform.${key} = `);
    expect(refused).toContain(
      'slipway:platform.location = "northeurope": was "westeurope" and cannot be changed in place: it would replace the AKS cluster, with every workload, volume, certificate and load balancer address in it, and the container registry, with every image in it, and the database server, with all data in it. Set it back; or, to lose that, set slipway:platform.allowReplace to true for one run.',
    );
  });

  test("where that is allowed, those keys and no others replace the cluster; the registry stays", async () => {
    change(replacingCluster, { allowReplace: true });
    const planned = await pulumi.plan();
    expect(planned["azure-cluster"]?.op).toBe("replace");
    expect([...(planned["azure-cluster"]?.replacing ?? [])].sort()).toEqual(
      effectsOf(replacingCluster)["azure-cluster"],
    );
    expect(planned).not.toHaveProperty("azure-registry");
  });

  test.each(replacingMore)("where that is allowed, $key replaces what it belongs to", async (one) => {
    change([one], { allowReplace: true });
    const planned = await pulumi.plan();
    for (const [name, inputs] of Object.entries(effectsOf([one])))
      expect([planned[name]?.op, planned[name]?.replacing]).toEqual([
        "replace",
        expect.arrayContaining([...inputs]),
      ]);
  });

  test("each mutable key of a database server updates it by just its inputs, and replaces nothing", async () => {
    configure(everything, {
      ...server,
      ...Object.fromEntries(serverInPlace.map(({ key, value }) => [key, value])),
    });
    const { "database-server": planned, ...others } = await pulumi.plan();
    expect([planned?.op, [...(planned?.changed ?? [])].sort()]).toEqual([
      "update",
      effectsOf(serverInPlace)["database-server"],
    ]);
    // The double tells no outputs in a preview: the address in the Secrets may change.
    expect(Object.values(others).map(({ op, type }) => [op, type])).toEqual([
      ["update", "kubernetes:core/v1:Secret"],
      ["update", "kubernetes:core/v1:Secret"],
    ]);
  });

  test.each(serverRefused)(
    "of a database server, %s = %o is refused before anything changes",
    async (key, value) => {
      const { kind: _, ...rest } = server;
      configure(
        everything,
        key === "kind" ? { kind: value, keepVolume: false } : { kind: "azure", ...rest, [key]: value },
      );
      expect(await pulumi.refusal()).toMatch(
        new RegExp(`slipway:database\\.${key}.*: was "[^"]+" and cannot be (changed in place|lowered)`),
      );
    },
  );

  test("with allowReplace a server moves out of its network, and what Azure never does is refused still", async () => {
    const moved = { ...server, access: { kind: "firewall", allowedIpRanges: ["203.0.113.0/30"] } };
    configure({ ...everything, allowReplace: true }, moved);
    const planned = await pulumi.plan();
    expect(planned["database-server"]?.op).toBe("replace");
    expect(planned["database-server"]?.replacing).toContain("network.delegatedSubnetResourceId");
    expect(planned).not.toHaveProperty("azure-cluster");
    configure({ ...everything, allowReplace: true }, { ...server, storageGb: 32 });
    expect(await pulumi.refusal()).toContain("Azure only raises it");
  });

  test("with allowReplace the server gives way to one in the cluster, which takes over its Secrets", async () => {
    configure({ ...everything, allowReplace: true }, { kind: "inCluster", keepVolume: false });
    const planned = await pulumi.plan();
    expect(planned["database-admin"]?.op).toBe("update");
    expect(planned["database-api-1"]?.op).toBe("update");
    expect(planned).not.toHaveProperty("database-key");
    expect(planned["database-require-tls"]?.op).toBe("delete");
  });

  test("a kubeconfig that Azure has rotated changes how the cluster is reached, and nothing in it", async () => {
    configure(everything);
    azure.rotateKubeconfig();
    const planned = await pulumi.plan();
    expect(Object.entries(planned).map(([name, { op, type }]) => [name, op, type])).toEqual([
      ["cluster", "update", "pulumi:providers:kubernetes"],
    ]);
    await pulumi.up();
    expect(await pulumi.plan()).toEqual({});
  });

  test("a cluster that somebody else is changing is left alone, with what Azure says; the next run finishes", async () => {
    change([
      { key: "cluster.tier", value: "Standard", effect: {} },
      { key: "registry.sku", value: "Standard", effect: {} },
    ]);
    azure.occupy({ [`managedClusters/aks-slipway-${stack}`]: "Upgrading" });
    await expect(pulumi.up()).rejects.toThrow(busy);
    const tier = () =>
      Object.entries(azure.resources()).find(([id]) =>
        id.endsWith(`/managedClusters/aks-slipway-${stack}`),
      )?.[1].sku.tier;
    expect(tier()).toBe("Free");
    azure.occupy({});
    await pulumi.up();
    expect(tier()).toBe("Standard");
    expect(await pulumi.plan()).toEqual({});
  });

  test("a node pool that Azure is scaling is left alone too, and the other resources are changed", async () => {
    configure({
      ...everything,
      cluster: {
        ...everything.cluster,
        userPools: { apps: { ...everything.cluster.userPools.apps, maxCount: 5 } },
      },
      keyVaults: { [vault]: { ...everything.keyVaults[vault], purgeProtection: true } },
    });
    azure.occupy({ "agentPools/apps": "Scaling" });
    await expect(pulumi.up()).rejects.toThrow("Another operation (Scaling) is in progress");
    azure.occupy({});
    await pulumi.up();
    expect(await pulumi.plan()).toEqual({});
  });

  test("what Azure never changes of a vault is refused by Azure, and everything else stays", async () => {
    configure({ ...everything, keyVaults: { [vault]: { kind: "new", retentionDays: 30 } } });
    await expect(pulumi.up()).rejects.toThrow(
      "the property properties.softDeleteRetentionInDays cannot be changed",
    );
  });
});
