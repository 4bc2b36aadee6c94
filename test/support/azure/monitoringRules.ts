import { type Inputs, inGroup, location, mustBe, mustBeId, type ResourceRules } from "./armRules.ts";

/** Where logs and metrics go. */
export const monitoringRules: Readonly<Record<string, ResourceRules>> = {
  "azure-native:operationalinsights:Workspace": {
    required: ["resourceGroupName", "location"],
    immutable: ["resourceGroupName", "workspaceName", "location"],
    name: {
      property: "workspaceName",
      pattern: /^[a-zA-Z0-9][a-zA-Z0-9-]{2,61}[a-zA-Z0-9]$/,
      rule: "4-63 letters, digits and dashes",
    },
    id: inGroup("Microsoft.OperationalInsights/workspaces", "workspaceName"),
    check: (inputs) => [
      ...location(inputs),
      ...mustBe(
        inputs.retentionInDays >= 30 && inputs.retentionInDays <= 730,
        "retentionInDays",
        "BadRequest: from 30 to 730",
      ),
    ],
    outputs: (inputs) => ({ name: inputs.workspaceName }),
  },
  "azure-native:monitor:AzureMonitorWorkspace": {
    required: ["resourceGroupName", "location"],
    immutable: ["resourceGroupName", "azureMonitorWorkspaceName", "location"],
    name: {
      property: "azureMonitorWorkspaceName",
      pattern: /^[a-zA-Z0-9][a-zA-Z0-9-]{2,42}[a-zA-Z0-9]$/,
      rule: "4-44 letters, digits and dashes",
    },
    id: inGroup("Microsoft.Monitor/accounts", "azureMonitorWorkspaceName"),
    check: location,
  },
  "azure-native:monitor:DataCollectionEndpoint": {
    required: ["resourceGroupName", "location"],
    immutable: ["resourceGroupName", "dataCollectionEndpointName", "location"],
    name: {
      property: "dataCollectionEndpointName",
      pattern: /^[a-zA-Z0-9][a-zA-Z0-9-]{1,42}[a-zA-Z0-9]$/,
      rule: "3-44 letters, digits and dashes",
    },
    id: inGroup("Microsoft.Insights/dataCollectionEndpoints", "dataCollectionEndpointName"),
    check: location,
  },
  "azure-native:monitor:DataCollectionRule": {
    required: ["resourceGroupName", "location", "dataSources", "destinations", "dataFlows"],
    immutable: ["resourceGroupName", "dataCollectionRuleName", "location"],
    name: {
      property: "dataCollectionRuleName",
      pattern: /^[\w.-]{3,64}$/,
      rule: "3-64 letters, digits, dots, underscores and dashes",
    },
    id: inGroup("Microsoft.Insights/dataCollectionRules", "dataCollectionRuleName"),
    check: (inputs) => {
      const destinations = Object.values<Inputs[]>(inputs.destinations).flat();
      return [
        ...location(inputs),
        ...(inputs.dataFlows as Inputs[]).flatMap((flow) =>
          mustBe(
            (flow.destinations as string[]).every((name) =>
              destinations.some((destination) => destination.name === name),
            ),
            "dataFlows",
            "InvalidPayload: a data flow names a destination that the rule does not have",
          ),
        ),
        ...(inputs.destinations.logAnalytics ?? []).flatMap((destination: Inputs) =>
          mustBeId(
            "destinations.logAnalytics",
            destination.workspaceResourceId,
            "Microsoft.OperationalInsights/workspaces",
          ),
        ),
        ...(inputs.destinations.monitoringAccounts ?? []).flatMap((destination: Inputs) =>
          mustBeId(
            "destinations.monitoringAccounts",
            destination.accountResourceId,
            "Microsoft.Monitor/accounts",
          ),
        ),
      ];
    },
  },
  "azure-native:monitor:DataCollectionRuleAssociation": {
    required: ["resourceUri"],
    immutable: ["resourceUri", "associationName"],
    name: {
      property: "associationName",
      pattern: /^(ContainerInsightsExtension|ContainerInsightsMetricsExtension)$/,
      rule: "a name that AKS's agents look for",
    },
    id: (inputs) =>
      `${inputs.resourceUri}/providers/Microsoft.Insights/dataCollectionRuleAssociations/${inputs.associationName}`,
    check: ({ dataCollectionRuleId, resourceUri }) => [
      ...mustBeId("dataCollectionRuleId", dataCollectionRuleId, "Microsoft.Insights/dataCollectionRules"),
      ...mustBeId("resourceUri", resourceUri, "Microsoft.ContainerService/managedClusters"),
    ],
  },
};
