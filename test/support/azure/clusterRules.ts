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

/** AKS. */
export const clusterRules: Readonly<Record<string, ResourceRules>> = {
  "azure-native:containerservice:ManagedCluster": {
    required: ["resourceGroupName", "location", "identity", "dnsPrefix", "agentPoolProfiles"],
    immutable: [
      "resourceGroupName",
      "resourceName",
      "location",
      "dnsPrefix",
      "networkProfile.networkPlugin",
      "apiServerAccessProfile.enablePrivateCluster",
    ],
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
    outputs: (inputs) => ({
      name: inputs.resourceName,
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
    immutable: [
      "resourceGroupName",
      "resourceName",
      "agentPoolName",
      "vmSize",
      "availabilityZones",
      "osType",
    ],
    name: {
      property: "agentPoolName",
      pattern: /^[a-z][a-z0-9]{0,11}$/,
      rule: "1-12 lower-case letters and digits",
    },
    parent: aksId,
    id: (inputs) => `${aksId(inputs)}/agentPools/${inputs.agentPoolName}`,
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
