import { mustBeId, type ResourceRules, registryId } from "./armRules.ts";

/** Users of a container registry. */
export const tokenRules: Readonly<Record<string, ResourceRules>> = {
  "azure-native:containerregistry:ScopeMap": {
    required: ["resourceGroupName", "registryName", "actions"],
    immutable: ["resourceGroupName", "registryName", "scopeMapName"],
    name: {
      property: "scopeMapName",
      pattern: /^[a-zA-Z0-9_-]{5,50}$/,
      rule: "5-50 letters, digits, dashes and underscores",
    },
    parent: registryId,
    id: (inputs) => `${registryId(inputs)}/scopeMaps/${inputs.scopeMapName}`,
    check: ({ actions }) =>
      (actions as string[])
        .filter(
          (action) =>
            !/^repositories\/.+\/(content\/(read|write|delete)|metadata\/(read|write))$/.test(action),
        )
        .map((action) => ({ property: "actions", reason: `InvalidAction: '${action}'` })),
  },
  "azure-native:containerregistry:Token": {
    required: ["resourceGroupName", "registryName", "scopeMapId"],
    immutable: ["resourceGroupName", "registryName", "tokenName"],
    name: {
      property: "tokenName",
      pattern: /^[a-zA-Z0-9-]{5,50}$/,
      rule: "5-50 letters, digits and dashes",
    },
    parent: registryId,
    id: (inputs) => `${registryId(inputs)}/tokens/${inputs.tokenName}`,
    check: ({ scopeMapId }) => mustBeId("scopeMapId", scopeMapId, "Microsoft.ContainerRegistry/registries"),
  },
};
