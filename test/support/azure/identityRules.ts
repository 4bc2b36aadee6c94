import { guid, identityId, inGroup, location, mustBe, type ResourceRules, subscription } from "./armRules.ts";

/** Resource groups, identities, what they may do, and the secrets that they may read. */
export const identityRules: Readonly<Record<string, ResourceRules>> = {
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
    id: identityId,
    check: location,
    outputs: ({ resourceName }) => ({
      name: resourceName,
      principalId: `principal-of-${resourceName}`,
      clientId: `client-of-${resourceName}`,
    }),
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
    check: ({ principalType, principalId, roleDefinitionId }) => [
      ...mustBe(
        principalType === "ServicePrincipal" || (principalType === "Group" && guid.test(principalId)),
        "principalType",
        "PrincipalNotFound: a new identity is found only as ServicePrincipal, a group by its object id",
      ),
      ...mustBe(
        /^\/subscriptions\/[^/]+\/providers\/Microsoft\.Authorization\/roleDefinitions\/[0-9a-f-]{36}$/.test(
          roleDefinitionId,
        ),
        "roleDefinitionId",
        "RoleDefinitionDoesNotExist",
      ),
    ],
  },
  "azure-native:managedidentity:FederatedIdentityCredential": {
    required: ["resourceGroupName", "resourceName", "issuer", "subject", "audiences"],
    immutable: ["resourceGroupName", "resourceName", "federatedIdentityCredentialResourceName"],
    name: {
      property: "federatedIdentityCredentialResourceName",
      pattern: /^[a-zA-Z0-9][\w-]{2,119}$/,
      rule: "3-120 letters, digits, underscores and dashes",
    },
    parent: identityId,
    id: (inputs) =>
      `${identityId(inputs)}/federatedIdentityCredentials/${inputs.federatedIdentityCredentialResourceName}`,
    check: ({ issuer, audiences, subject }) => [
      ...mustBe(/^https:\/\/\S+$/.test(issuer), "issuer", "BadRequest: the issuer must be an HTTPS URL"),
      ...mustBe(audiences.length === 1, "audiences", "BadRequest: exactly one audience"),
      ...mustBe(
        /^system:serviceaccount:[a-z0-9-]+:[a-z0-9-]+$/.test(subject),
        "subject",
        "BadRequest: not a service account",
      ),
    ],
  },
  "azure-native:keyvault:Vault": {
    required: ["resourceGroupName", "properties", "location"],
    immutable: ["resourceGroupName", "vaultName", "location", "properties.tenantId"],
    frozen: ["properties.softDeleteRetentionInDays"],
    name: {
      property: "vaultName",
      pattern: /^(?!.*--)[a-zA-Z][a-zA-Z0-9-]{1,22}[a-zA-Z0-9]$/,
      rule: "3-24 letters, digits and single dashes, a letter first",
    },
    id: inGroup("Microsoft.KeyVault/vaults", "vaultName"),
    check: (inputs) => [
      ...location(inputs),
      ...mustBe(
        inputs.properties.enablePurgeProtection !== false,
        "properties.enablePurgeProtection",
        'BadRequest: "enablePurgeProtection" cannot be set to false',
      ),
      ...mustBe(
        inputs.properties.softDeleteRetentionInDays >= 7 && inputs.properties.softDeleteRetentionInDays <= 90,
        "properties.softDeleteRetentionInDays",
        "BadRequest: from 7 to 90",
      ),
      ...mustBe(
        inputs.properties.sku?.family === "A" && inputs.properties.tenantId !== undefined,
        "properties",
        "BadRequest: sku and tenantId are required",
      ),
    ],
    outputs: (inputs) => ({ name: inputs.vaultName }),
  },
};
