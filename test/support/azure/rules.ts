/** What Azure Resource Manager checks of one type of resource, and what it answers. */
export interface ResourceRules {
  /** Properties that must be there. */
  readonly required: readonly string[];
  /** Properties that cannot be changed in place: a change replaces the resource. */
  readonly immutable: readonly string[];
  /** Property that holds the resource's name, and the rule of the name. */
  readonly name: { readonly property: string; readonly pattern: RegExp; readonly rule: string };
  /** Id below the subscription. */
  readonly id: (inputs: Inputs) => string;
  /** Rules between properties; each a sentence that is broken. */
  readonly check?: (inputs: Inputs) => readonly { readonly property: string; readonly reason: string }[];
  /** What is known only once the resource exists. */
  readonly outputs?: (inputs: Inputs, id: string) => Record<string, unknown>;
}

// biome-ignore lint/suspicious/noExplicitAny: a provider sees inputs of every shape
export type Inputs = Record<string, any>;

const subscription = "/subscriptions/00000000-0000-0000-0000-000000000001";
const locations = ["westeurope", "northeurope", "eastus", "eastus2", "swedencentral", "germanywestcentral"];

const location = (inputs: Inputs) =>
  locations.includes(inputs.location)
    ? []
    : [{ property: "location", reason: `LocationNotAvailableForResourceType: '${inputs.location}'` }];

function inGroup(type: string, name: string) {
  return (inputs: Inputs) =>
    `${subscription}/resourceGroups/${inputs.resourceGroupName}/providers/${type}/${inputs[name]}`;
}

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

/** What the double's cluster and registry really are: the embedded environment. */
export interface Backing {
  readonly registry: { readonly server: string; readonly username: string; readonly password: string };
  /** Kubeconfig of the cluster without a user, as AKS gives it. */
  readonly kubeconfig: string;
}

/** The types that the program uses. Another one is an error: it would go untested. */
export function rulesOf({ registry }: Backing): Readonly<Record<string, ResourceRules>> {
  return {
    "azure-native:resources:ResourceGroup": {
      required: ["location"],
      immutable: ["resourceGroupName", "location"],
      name: {
        property: "resourceGroupName",
        pattern: /^[\w().-]{0,89}[\w()-]$/,
        rule: "1-90 characters, no dot at the end",
      },
      id: (inputs) => `${subscription}/resourceGroups/${inputs.resourceGroupName}`,
      check: location,
      outputs: (inputs) => ({ name: inputs.resourceGroupName }),
    },
    "azure-native:managedidentity:UserAssignedIdentity": {
      required: ["resourceGroupName", "location"],
      immutable: ["resourceGroupName", "resourceName", "location"],
      name: {
        property: "resourceName",
        pattern: /^[a-zA-Z0-9][\w-]{2,127}$/,
        rule: "3-128 letters, digits, underscores and dashes",
      },
      id: inGroup("Microsoft.ManagedIdentity/userAssignedIdentities", "resourceName"),
      check: location,
      outputs: ({ resourceName }) => ({
        name: resourceName,
        principalId: `principal-of-${resourceName}`,
        clientId: `client-of-${resourceName}`,
      }),
    },
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
      id: inGroup("Microsoft.ContainerService/managedClusters", "resourceName"),
      check: (inputs) => [
        ...location(inputs),
        ...(inputs.agentPoolProfiles as Inputs[]).flatMap(pool),
        ...(inputs.disableLocalAccounts && !inputs.aadProfile?.managed
          ? [{ property: "disableLocalAccounts", reason: "BadRequest: needs managed Entra ID" }]
          : []),
        ...(/^\d+\.\d+(\.\d+)?$/.test(inputs.kubernetesVersion ?? "")
          ? []
          : [{ property: "kubernetesVersion", reason: "InvalidParameter: must be x.y or x.y.z" }]),
      ],
      outputs: (inputs) => ({ name: inputs.resourceName }),
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
      id: (inputs) =>
        `${inGroup("Microsoft.ContainerService/managedClusters", "resourceName")(inputs)}/agentPools/${inputs.agentPoolName}`,
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
      id: (inputs) =>
        `${inGroup("Microsoft.ContainerService/managedClusters", "resourceName")(inputs)}/maintenanceConfigurations/${inputs.configName}`,
      check: ({ maintenanceWindow }) =>
        maintenanceWindow.durationHours >= 4
          ? []
          : [{ property: "maintenanceWindow.durationHours", reason: "InvalidParameter: 4 hours or more" }],
    },
    "azure-native:containerregistry:Registry": {
      required: ["resourceGroupName", "sku"],
      immutable: ["resourceGroupName", "registryName", "location"],
      name: { property: "registryName", pattern: /^[a-zA-Z0-9]{5,50}$/, rule: "5-50 letters and digits" },
      id: inGroup("Microsoft.ContainerRegistry/registries", "registryName"),
      check: location,
      outputs: (inputs) => ({ name: inputs.registryName, loginServer: registry.server }),
    },
    "azure-native:authorization:RoleAssignment": {
      required: ["scope", "roleDefinitionId", "principalId"],
      immutable: ["scope", "roleDefinitionId", "principalId", "roleAssignmentName"],
      name: {
        property: "roleAssignmentName",
        pattern: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
        rule: "a GUID",
      },
      id: (inputs) =>
        `${inputs.scope}/providers/Microsoft.Authorization/roleAssignments/${inputs.roleAssignmentName}`,
      check: ({ principalType }) =>
        principalType === "ServicePrincipal"
          ? []
          : [
              {
                property: "principalType",
                reason: "PrincipalNotFound: a new identity is found only as ServicePrincipal",
              },
            ],
    },
  };
}
