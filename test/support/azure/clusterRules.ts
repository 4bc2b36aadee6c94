import { aksId, type Inputs, location, mustBe, mustBeId, type ResourceRules } from "./armRules.ts";

function pool(profile: Inputs) {
  const property = `agentPoolProfiles[${profile.name}]`;
  return [
    ...(/^[a-z][a-z0-9]{0,11}$/.test(profile.name)
      ? []
      : [
          {
            property,
            reason: "InvalidParameter: agent pool name must be 1-12 lower-case alphanumeric characters",
          },
        ]),
    ...(profile.mode !== "System" || profile.count >= 1
      ? []
      : [{ property, reason: "InvalidParameter: a system pool needs one node or more" }]),
    ...(profile.vmSize ? [] : [{ property, reason: "InvalidParameter: vmSize is required" }]),
  ];
}

/** An operation on the cluster holds its node pools, and one on a node pool the cluster, but not the other pools. */
const exclusive = (id: (inputs: Inputs) => string) => ({
  id,
  refusal: (operation: string) =>
    `Status=409 Code="OperationNotAllowed" Message="Operation is not allowed: Another operation (${operation}) is in progress, please wait for it to finish before starting a new operation. See https://aka.ms/aks-pending-operation for more details"`,
});
const poolId = (inputs: Inputs) => `${aksId(inputs)}/agentPools/${inputs.agentPoolName}`;

/** AKS. */
export const clusterRules: Readonly<Record<string, ResourceRules>> = {
  "azure-native:containerservice:ManagedCluster": {
    required: ["resourceGroupName", "location", "identity", "dnsPrefix", "agentPoolProfiles"],
    immutable: ["resourceGroupName", "resourceName", "location", "dnsPrefix"],
    frozen: [
      "networkProfile.networkPlugin",
      "apiServerAccessProfile.enablePrivateCluster",
      "agentPoolProfiles.0.name",
      "agentPoolProfiles.0.vmSize",
      "agentPoolProfiles.0.availabilityZones",
      "agentPoolProfiles.0.vnetSubnetID",
    ],
    exclusive: exclusive(aksId),
    name: {
      property: "resourceName",
      pattern: /^[a-zA-Z0-9]([\w-]{0,61}[a-zA-Z0-9])?$/,
      rule: "1-63 letters, digits, underscores and dashes",
    },
    id: aksId,
    check: (inputs) => [
      ...location(inputs),
      ...(inputs.agentPoolProfiles as Inputs[]).flatMap(pool),
      ...(inputs.disableLocalAccounts && !inputs.aadProfile?.managed
        ? [{ property: "disableLocalAccounts", reason: "BadRequest: needs managed Entra ID" }]
        : []),
      ...mustBe(
        !inputs.addonProfiles?.omsagent?.enabled ||
          mustBeId(
            "",
            inputs.addonProfiles.omsagent.config?.logAnalyticsWorkspaceResourceID,
            "Microsoft.OperationalInsights/workspaces",
          ).length === 0,
        "addonProfiles.omsagent",
        "InvalidParameter: logAnalyticsWorkspaceResourceID must be the id of a workspace",
      ),
      ...mustBe(
        [...Object.values<Inputs>(inputs.addonProfiles ?? {})].every(({ config = {} }) =>
          Object.values(config).every((value) => typeof value === "string"),
        ),
        "addonProfiles",
        "InvalidParameter: the configuration of an add-on is a map of strings",
      ),
      ...(/^\d+\.\d+(\.\d+)?$/.test(inputs.kubernetesVersion ?? "")
        ? []
        : [{ property: "kubernetesVersion", reason: "InvalidParameter: must be x.y or x.y.z" }]),
    ],
    outputs: (inputs, id) => ({
      name: inputs.resourceName,
      networkProfile: {
        ...inputs.networkProfile,
        loadBalancerProfile: {
          effectiveOutboundIPs: [
            { id: `${id.split("/providers/")[0]}/providers/Microsoft.Network/publicIPAddresses/outbound` },
          ],
        },
      },
      oidcIssuerProfile: {
        enabled: true,
        issuerURL: "https://westeurope.oic.prod-aks.azure.com/tenant/cluster/",
      },
      ingressProfile: {
        webAppRouting: {
          ...inputs.ingressProfile?.webAppRouting,
          identity: { objectId: "principal-of-app-routing" },
        },
      },
    }),
  },
  "azure-native:containerservice:AgentPool": {
    required: ["resourceGroupName", "resourceName", "vmSize"],
    immutable: ["resourceGroupName", "resourceName", "agentPoolName", "vmSize"],
    frozen: ["availabilityZones", "osType", "scaleSetPriority", "scaleSetEvictionPolicy", "vnetSubnetID"],
    exclusive: exclusive(poolId),
    name: {
      property: "agentPoolName",
      pattern: /^[a-z][a-z0-9]{0,11}$/,
      rule: "1-12 lower-case letters and digits",
    },
    parent: aksId,
    id: poolId,
    check: (inputs) =>
      inputs.enableAutoScaling && inputs.minCount > inputs.maxCount
        ? [{ property: "minCount", reason: "InvalidParameter: minCount is above maxCount" }]
        : [],
    outputs: (inputs) => ({ name: inputs.agentPoolName }),
  },
  "azure-native:containerservice:MaintenanceConfiguration": {
    required: ["resourceGroupName", "resourceName", "configName"],
    immutable: ["resourceGroupName", "resourceName", "configName"],
    name: {
      property: "configName",
      pattern: /^(default|aksManagedAutoUpgradeSchedule|aksManagedNodeOSUpgradeSchedule)$/,
      rule: "one of AKS's own names",
    },
    parent: aksId,
    id: (inputs) => `${aksId(inputs)}/maintenanceConfigurations/${inputs.configName}`,
    check: ({ maintenanceWindow }) =>
      maintenanceWindow.durationHours >= 4
        ? []
        : [{ property: "maintenanceWindow.durationHours", reason: "InvalidParameter: 4 hours or more" }],
  },
};
