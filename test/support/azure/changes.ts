const group = "11111111-1111-1111-1111-111111111111";
const zone = "/subscriptions/s/resourceGroups/dns/providers/Microsoft.Network/dnsZones/example.com";
export const vault = "kv-test-changes";

/** A platform on Azure with one of everything, whose choices the changes below change. */
export const everything = {
  kind: "azure",
  location: "westeurope",
  network: { addressSpace: "10.240.0.0/16" },
  cluster: {
    kubernetesVersion: "1.34",
    systemPool: { vmSize: "Standard_D2s_v5", count: 2 },
    userPools: { apps: { vmSize: "Standard_D2s_v5", minCount: 1, maxCount: 3 } },
    monitoring: { kind: "containerInsights", retentionDays: 30 },
    appRouting: {},
  },
  registry: { sku: "Basic", pull: { kind: "token", rotation: "1" } },
  keyVaults: { [vault]: { kind: "new", retentionDays: 7 } },
} as const;

/** What a change does to resources, by logical name: the inputs that it updates, or that it makes the resource. */
export type Effect = { readonly [resource: string]: readonly string[] | "create" };

export interface Change {
  /** Key below slipway:platform, with dots. */
  readonly key: string;
  readonly value: unknown;
  readonly effect: Effect;
}

const change = (key: string, value: unknown, effect: Effect): Change => ({ key, value, effect });
const cluster = (...inputs: string[]) => ({ "azure-cluster": inputs });
const pool = (...inputs: string[]) => ({ "azure-pool-apps": inputs });
const schedules = (input: string) => ({
  "azure-aksManagedAutoUpgradeSchedule": [`maintenanceWindow.${input}`],
  "azure-aksManagedNodeOSUpgradeSchedule": [`maintenanceWindow.${input}`],
});
// Pulumi tells no inputs of a dynamic resource.
const passwords = {
  "azure-push-password": [],
  "azure-pull-password": [],
  "stack-registry-pull": ['data[".dockerconfigjson"]'],
};

/** Changes that Azure makes in place, all of them in one run. */
export const inPlace: readonly Change[] = [
  change("cluster.kubernetesVersion", "1.35", cluster("kubernetesVersion")),
  change("cluster.tier", "Standard", cluster("sku.tier")),
  change("cluster.systemPool.count", 3, cluster("agentPoolProfiles[0].count")),
  change("cluster.localAccounts", true, cluster("disableLocalAccounts")),
  change("cluster.adminGroups", [group], cluster("aadProfile.adminGroupObjectIDs[0]")),
  change(
    "cluster.apiServerAccess.authorizedIpRanges",
    ["203.0.113.0/24"],
    cluster("apiServerAccessProfile.authorizedIPRanges[0]"),
  ),
  change("cluster.upgradeChannel", "node-image", cluster("autoUpgradeProfile.upgradeChannel")),
  change("cluster.maintenance.day", "Monday", schedules("schedule.weekly.dayOfWeek")),
  change("cluster.maintenance.startTime", "03:00", schedules("startTime")),
  change("cluster.maintenance.durationHours", 6, schedules("durationHours")),
  change("cluster.monitoring.retentionDays", 60, { "azure-monitoring-logs": ["retentionInDays"] }),
  change("cluster.appRouting.dnsZones", [zone], {
    ...cluster("ingressProfile.webAppRouting.dnsZoneResourceIds[0]"),
    "azure-dns-example.com": "create",
  }),
  change("cluster.userPools.apps.minCount", 2, pool("minCount")),
  change("cluster.userPools.apps.maxCount", 4, pool("maxCount")),
  change("registry.sku", "Standard", { "azure-registry": ["sku.name"] }),
  change("registry.pull.rotation", "2", passwords),
  change("registry.pull.maxAgeDays", 90, {}),
  change("registry.pull.expiry", "2100-01-01", passwords),
  change(`keyVaults.${vault}.purgeProtection`, true, {
    [`azure-${vault}-vault`]: ["properties.enablePurgeProtection"],
  }),
  change(`keyVaults.${vault}.officers`, [group], { [`azure-${vault}-officer-${group}`]: "create" }),
];

/** Changes that replace a node pool, and nothing else. */
export const replacingPool: readonly Change[] = [
  change("cluster.userPools.apps.vmSize", "Standard_D4s_v5", pool("vmSize")),
  change("cluster.userPools.apps.zones", ["1", "2"], pool("availabilityZones")),
  change("cluster.userPools.apps.spot", true, pool("scaleSetEvictionPolicy", "scaleSetPriority")),
];

/** Changes that replace the cluster, and are refused unless they are allowed. */
export const replacingCluster: readonly Change[] = [
  change("cluster.apiServerAccess.kind", "private", cluster("apiServerAccessProfile.enablePrivateCluster")),
  change("cluster.systemPool.vmSize", "Standard_D4s_v5", cluster("agentPoolProfiles[0].vmSize")),
  change("cluster.systemPool.zones", ["1", "2"], cluster("agentPoolProfiles[0].availabilityZones")),
];

/** Changes that replace more than the cluster, and are refused unless they are allowed. */
export const replacingMore: readonly Change[] = [
  change("location", "northeurope", cluster("location")),
  change("resourceGroup", "rg-elsewhere", cluster("resourceGroupName")),
  change("network.addressSpace", "10.241.0.0/16", {
    "azure-network": ["addressSpace.addressPrefixes[0]", "subnets[0].addressPrefix"],
    ...cluster("agentPoolProfiles[0].vnetSubnetID"),
  }),
  change("registry.name", "elsewhere", { "azure-registry": ["registryName"] }),
];

/** A database server of which everything can be changed. */
export const server = {
  kind: "azure",
  sku: "Standard_D2ds_v5",
  version: "16",
  storageGb: 64,
  deletionProtection: false,
} as const;

const ofServer = (...inputs: string[]) => ({ "database-server": inputs });

/** Changes of a database server, below slipway:database, that Azure makes in place, all of them in one run. */
export const serverInPlace: readonly Change[] = [
  change("version", "17", ofServer("version")),
  change("sku", "Standard_E4ds_v5", ofServer("sku.name", "sku.tier")),
  change("storageGb", 128, ofServer("storage.storageSizeGB")),
  change("highAvailability", "zoneRedundant", ofServer("highAvailability.mode")),
  change("backupRetentionDays", 14, ofServer("backup.backupRetentionDays")),
];

/** Changes of a database server that would replace it, or that Azure does not make, and that are refused. */
export const serverRefused: readonly (readonly [key: string, value: unknown])[] = [
  ["kind", "inCluster"],
  ["version", "15"],
  ["storageGb", 32],
  ["geoRedundantBackup", true],
  ["access", { kind: "firewall" }],
];

/** Keys that change one of the above by what they are, or that are no property of anything on Azure. */
export const others: { readonly [key: string]: string } = {
  kind: "another platform",
  environment: "a tag, and what production is held to",
  tags: "on everything",
  "cluster.login": "how the program signs in",
  "cluster.monitoring.kind": "a preview of its own",
  "registry.pull.kind": "a preview of its own",
  "keyVaults.*.kind": "a vault that is made, or is not",
  "keyVaults.*.resourceGroup": "where a vault is that is not the stack's",
  "keyVaults.*.retentionDays": "what Azure never changes of a vault: it is refused",
  allowReplace: "what a run may do",
};

/** A platform with these changes. */
export function withChanges(changes: readonly Change[]): Record<string, unknown> {
  const platform = structuredClone(everything) as Record<string, unknown>;
  for (const { key, value } of changes) {
    const parts = key.split(".");
    const last = parts.pop() as string;
    let at = platform;
    for (const part of parts) {
      at[part] ??= part === "apiServerAccess" ? { kind: "public" } : {};
      at = at[part] as Record<string, unknown>;
    }
    at[last] = value;
  }
  return platform;
}
