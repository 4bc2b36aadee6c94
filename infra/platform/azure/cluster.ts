import * as containerservice from "@pulumi/azure-native/containerservice/index.js";
import * as pulumi from "@pulumi/pulumi";
import type { AzurePlatform } from "../../config/azure.ts";

export interface AksClusterArgs {
  /** Name of the resource group. */
  readonly resourceGroup: pulumi.Input<string>;
  readonly location: string;
  readonly tags: { readonly [name: string]: string };
  /** Beginning of the API server's host name. */
  readonly dnsPrefix: string;
  readonly settings: AzurePlatform["cluster"];
}

/** What every Linux node pool here has. */
const linuxPool = {
  osType: "Linux",
  osSKU: "AzureLinux",
  type: "VirtualMachineScaleSets",
  upgradeSettings: { maxSurge: "33%" },
} as const;

function zonesOf(zones: readonly string[] | undefined) {
  return zones === undefined || zones.length === 0 ? {} : { availabilityZones: [...zones] };
}

/**
 * An AKS cluster: managed identity, one small inline system pool and the others as AgentPools of their own (an
 * edit of an inline pool holds all of them), Azure CNI overlay with Cilium, OIDC issuer and workload identity,
 * Entra ID with Azure RBAC.
 */
export class AksCluster extends pulumi.ComponentResource {
  readonly name: pulumi.Output<string>;
  readonly id: pulumi.Output<string>;
  /** Object id of the identity that the kubelets pull images as. */
  readonly kubeletObjectId: pulumi.Output<string>;
  /** Node pools are ready when this is: what is scheduled needs them. */
  readonly pools: readonly pulumi.Resource[];

  constructor(
    name: string,
    { resourceGroup, location, tags, dnsPrefix, settings }: AksClusterArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("slipway:azure:AksCluster", name, {}, opts);
    const { systemPool, apiServerAccess } = settings;
    const followsChannel = settings.upgradeChannel === "stable" || settings.upgradeChannel === "rapid";
    const cluster = new containerservice.ManagedCluster(
      `${name}-cluster`,
      {
        resourceGroupName: resourceGroup,
        location,
        tags,
        dnsPrefix,
        kubernetesVersion: settings.kubernetesVersion,
        sku: { name: "Base", tier: settings.tier },
        identity: { type: "SystemAssigned" },
        enableRBAC: true,
        disableLocalAccounts: !settings.localAccounts,
        aadProfile: { managed: true, enableAzureRBAC: true, adminGroupObjectIDs: settings.adminGroups },
        apiServerAccessProfile:
          apiServerAccess.kind === "private"
            ? { enablePrivateCluster: true }
            : { enablePrivateCluster: false, authorizedIPRanges: apiServerAccess.authorizedIpRanges },
        agentPoolProfiles: [
          {
            ...linuxPool,
            name: "system",
            mode: "System",
            count: systemPool.count,
            vmSize: systemPool.vmSize,
            ...zonesOf(systemPool.zones),
            tags,
            // With pools for the workloads, the system pool is left to Kubernetes' own pods.
            ...(Object.keys(settings.userPools).length > 0
              ? { nodeTaints: ["CriticalAddonsOnly=true:NoSchedule"] }
              : {}),
          },
        ],
        networkProfile: {
          networkPlugin: "azure",
          networkPluginMode: "overlay",
          networkDataplane: "cilium",
          networkPolicy: "cilium",
          loadBalancerSku: "standard",
        },
        oidcIssuerProfile: { enabled: true },
        securityProfile: {
          workloadIdentity: { enabled: true },
          imageCleaner: { enabled: true, intervalHours: 168 },
        },
        autoUpgradeProfile: { upgradeChannel: settings.upgradeChannel, nodeOSUpgradeChannel: "NodeImage" },
        addonProfiles: { azurepolicy: { enabled: true } },
      },
      // Where AKS moves to new minor versions by itself, the version here is only the first one.
      { parent: this, ...(followsChannel ? { ignoreChanges: ["kubernetesVersion"] } : {}) },
    );
    for (const configName of ["aksManagedAutoUpgradeSchedule", "aksManagedNodeOSUpgradeSchedule"]) {
      new containerservice.MaintenanceConfiguration(
        `${name}-${configName}`,
        {
          resourceGroupName: resourceGroup,
          resourceName: cluster.name,
          configName,
          maintenanceWindow: {
            schedule: { weekly: { intervalWeeks: 1, dayOfWeek: settings.maintenance.day } },
            startTime: settings.maintenance.startTime,
            durationHours: settings.maintenance.durationHours,
            utcOffset: "+00:00",
          },
        },
        { parent: this },
      );
    }
    this.pools = Object.entries(settings.userPools).map(
      ([pool, { vmSize, minCount, maxCount, zones, spot }]) =>
        new containerservice.AgentPool(
          `${name}-pool-${pool}`,
          {
            ...linuxPool,
            resourceGroupName: resourceGroup,
            resourceName: cluster.name,
            agentPoolName: pool,
            mode: "User",
            vmSize,
            enableAutoScaling: true,
            count: Math.max(minCount, 1),
            minCount,
            maxCount,
            ...zonesOf(zones),
            ...(spot ? { scaleSetPriority: "Spot", scaleSetEvictionPolicy: "Delete" } : {}),
            tags,
          },
          // The autoscaler owns the count: a run must not set it back.
          { parent: this, ignoreChanges: ["count"] },
        ),
    );
    this.name = cluster.name;
    this.id = cluster.id;
    this.kubeletObjectId = cluster.identityProfile.apply(
      (profile) => profile?.kubeletidentity?.objectId as string,
    );
    this.registerOutputs({ name: this.name, id: this.id, kubeletObjectId: this.kubeletObjectId });
  }
}
