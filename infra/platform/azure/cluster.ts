import * as containerservice from "@pulumi/azure-native/containerservice/index.js";
import * as managedidentity from "@pulumi/azure-native/managedidentity/index.js";
import * as pulumi from "@pulumi/pulumi";
import { type AzurePlatform, systemPoolName } from "../../config/azure.ts";
import { clusterReplaceOnChanges, poolReplaceOnChanges } from "./fixed.ts";
import { ClusterMonitoring } from "./monitoring.ts";
import type { AzureResourceGroup } from "./resourceGroup.ts";
import { roleAssignment } from "./roleAssignment.ts";

export interface AksClusterArgs {
  readonly resourceGroup: AzureResourceGroup;
  readonly location: string;
  readonly tags: { readonly [name: string]: string };
  /** End of the Azure names, such as `shop-dev`: `aks-shop-dev`. Also the beginning of the API server's host name. */
  readonly baseName: string;
  readonly settings: AzurePlatform["cluster"];
  /** Mount secrets of Key Vaults into pods that ask for them. */
  readonly mountsKeyVaults: boolean;
  /** Subnet of the nodes, in a network of the stack's own. Default: one that AKS makes. */
  readonly nodesSubnetId: pulumi.Output<string> | undefined;
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
  /** Name of the cluster, known before it is there. */
  readonly name: string;
  readonly id: pulumi.Output<string>;
  /** URL of the issuer of its service account tokens. */
  readonly oidcIssuer: pulumi.Output<string>;
  /** What needs the cluster waits for this. */
  readonly cluster: pulumi.Resource;
  /** Object id of the identity that the kubelets pull images as. */
  readonly kubeletObjectId: pulumi.Output<string>;
  /** Azure id of the public address from which the pods reach the internet. */
  readonly outboundAddressId: pulumi.Output<string>;
  /** Node pools are ready when this is: what is scheduled needs them. */
  readonly pools: readonly pulumi.Resource[];

  constructor(
    name: string,
    { resourceGroup, location, tags, baseName, settings, mountsKeyVaults, nodesSubnetId }: AksClusterArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("slipway:azure:AksCluster", name, {}, opts);
    const { systemPool, apiServerAccess, appRouting } = settings;
    // Names and identities do not come from the cluster, so that an update of it does not preview as the replacement of
    // what depends on them; and images can still be pulled should it be replaced.
    const resourceName = `aks-${baseName}`;
    const identity = (purpose: string) =>
      new managedidentity.UserAssignedIdentity(
        `${name}-${purpose}-identity`,
        { resourceGroupName: resourceGroup.name, location, tags, resourceName: `id-${baseName}-${purpose}` },
        { parent: this, dependsOn: [resourceGroup.resource] },
      );
    const controlPlane = identity("control-plane");
    const kubelet = identity("kubelet");
    const mayAssign = roleAssignment(
      `${name}-assign-kubelet`,
      {
        scope: kubelet.id,
        role: "Managed Identity Operator",
        principalId: controlPlane.principalId,
        key: `${baseName}/assign-kubelet`,
      },
      { parent: this },
    );
    const subnet = nodesSubnetId === undefined ? {} : { vnetSubnetID: nodesSubnetId };
    const mayJoin =
      nodesSubnetId === undefined
        ? []
        : [
            roleAssignment(
              `${name}-join-network`,
              {
                scope: nodesSubnetId,
                role: "Network Contributor",
                principalId: controlPlane.principalId,
                key: `${baseName}/join-network`,
              },
              { parent: this },
            ),
          ];
    const monitoring = new ClusterMonitoring(
      `${name}-monitoring`,
      { resourceGroup, location, tags, cluster: resourceName, settings: settings.monitoring },
      { parent: this },
    );
    const followsChannel = settings.upgradeChannel === "stable" || settings.upgradeChannel === "rapid";
    const cluster = new containerservice.ManagedCluster(
      `${name}-cluster`,
      {
        resourceGroupName: resourceGroup.name,
        location,
        tags,
        resourceName,
        dnsPrefix: baseName,
        kubernetesVersion: settings.kubernetesVersion,
        sku: { name: "Base", tier: settings.tier },
        identity: { type: "UserAssigned", userAssignedIdentities: [controlPlane.id] },
        identityProfile: {
          kubeletidentity: {
            resourceId: kubelet.id,
            clientId: kubelet.clientId,
            objectId: kubelet.principalId,
          },
        },
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
            name: systemPoolName,
            mode: "System",
            count: systemPool.count,
            vmSize: systemPool.vmSize,
            ...zonesOf(systemPool.zones),
            ...subnet,
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
        ingressProfile: {
          webAppRouting: {
            enabled: appRouting !== undefined,
            dnsZoneResourceIds: appRouting?.dnsZones ?? [],
          },
        },
        azureMonitorProfile: { metrics: monitoring.agents.metrics },
        addonProfiles: {
          azurepolicy: { enabled: true },
          omsagent: monitoring.agents.omsagent,
          azureKeyvaultSecretsProvider: mountsKeyVaults
            ? { enabled: true, config: { enableSecretRotation: "true", rotationPollInterval: "2m" } }
            : { enabled: false },
        },
      },
      // Where AKS moves to new minor versions by itself, the version here is only the first one.
      {
        parent: this,
        replaceOnChanges: clusterReplaceOnChanges,
        deleteBeforeReplace: true,
        dependsOn: [mayAssign, ...mayJoin],
        ...(followsChannel ? { ignoreChanges: ["kubernetesVersion"] } : {}),
      },
    );
    for (const configName of ["aksManagedAutoUpgradeSchedule", "aksManagedNodeOSUpgradeSchedule"]) {
      new containerservice.MaintenanceConfiguration(
        `${name}-${configName}`,
        {
          resourceGroupName: resourceGroup.name,
          resourceName,
          configName,
          maintenanceWindow: {
            schedule: { weekly: { intervalWeeks: 1, dayOfWeek: settings.maintenance.day } },
            startTime: settings.maintenance.startTime,
            durationHours: settings.maintenance.durationHours,
            utcOffset: "+00:00",
          },
        },
        { parent: this, dependsOn: [cluster] },
      );
    }
    this.pools = Object.entries(settings.userPools).map(
      ([pool, { vmSize, minCount, maxCount, zones, spot }]) =>
        new containerservice.AgentPool(
          `${name}-pool-${pool}`,
          {
            ...linuxPool,
            resourceGroupName: resourceGroup.name,
            resourceName,
            agentPoolName: pool,
            mode: "User",
            vmSize,
            enableAutoScaling: true,
            count: Math.max(minCount, 1),
            minCount,
            maxCount,
            ...zonesOf(zones),
            ...subnet,
            ...(spot ? { scaleSetPriority: "Spot", scaleSetEvictionPolicy: "Delete" } : {}),
            tags,
          },
          {
            parent: this,
            dependsOn: [cluster],
            // The autoscaler owns the count: a run must not set it back.
            ignoreChanges: ["count"],
            replaceOnChanges: poolReplaceOnChanges,
            deleteBeforeReplace: true,
          },
        ),
    );
    monitoring.collect(cluster.id);
    for (const zone of appRouting?.dnsZones ?? []) {
      const isPrivate = /\/privateDnsZones\//i.test(zone);
      roleAssignment(
        `${name}-dns-${zone.split("/").at(-1)}`,
        {
          scope: pulumi.output(zone),
          role: isPrivate ? "Private DNS Zone Contributor" : "DNS Zone Contributor",
          principalId: cluster.ingressProfile.apply(
            // A preview of a change may not know it, whatever the type says.
            (profile) => profile?.webAppRouting?.identity?.objectId ?? "",
          ),
          key: `${baseName}/dns/${zone.toLowerCase()}`,
        },
        { parent: this },
      );
    }
    this.name = resourceName;
    this.cluster = cluster;
    this.id = cluster.id;
    this.oidcIssuer = cluster.oidcIssuerProfile.apply((profile) => profile?.issuerURL ?? "");
    this.outboundAddressId = cluster.networkProfile.apply(
      (profile) => profile?.loadBalancerProfile?.effectiveOutboundIPs?.[0]?.id ?? "",
    );
    this.kubeletObjectId = kubelet.principalId;
    this.registerOutputs({ name: this.name, id: this.id, kubeletObjectId: this.kubeletObjectId });
  }
}
