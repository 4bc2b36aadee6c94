import * as authorization from "@pulumi/azure-native/authorization/index.js";
import type * as pulumi from "@pulumi/pulumi";
import { stableGuid } from "./guid.ts";

/** Built-in roles of Azure by name; their ids are the same in every subscription. */
const roles = {
  AcrPull: "7f951dda-4ed3-4680-a7ca-43fe172d538d",
  "DNS Zone Contributor": "befefa01-2a29-4197-83a8-272ff33ce314",
  "Private DNS Zone Contributor": "b12aa53e-6015-4669-85d0-8515ebb3ae7f",
  "Key Vault Secrets Officer": "b86a8fe4-44ce-4948-aee5-eccb2c155cd7",
  "Key Vault Secrets User": "4633458b-17de-408a-b874-0445c86b69e6",
  "Network Contributor": "4d97b98b-1d4f-4787-a291-c67834d212e7",
  "Managed Identity Operator": "f1a07417-d97a-45cb-824c-7a7467783830",
} as const;

export interface RoleAssignmentArgs {
  /** Azure id of what the role is on. */
  readonly scope: pulumi.Output<string>;
  readonly role: keyof typeof roles;
  /** Object id of the managed identity, or of the Entra ID group, that gets the role. */
  readonly principalId: pulumi.Input<string>;
  /** Default: ServicePrincipal, which a managed identity is. */
  readonly principalType?: "ServicePrincipal" | "Group";
  /** Text that names this assignment and no other: its GUID is made from it. */
  readonly key: string;
}

/** Gives a managed identity or a group a built-in role, under a name that stays the same. */
export function roleAssignment(
  name: string,
  { scope, role, principalId, principalType = "ServicePrincipal", key }: RoleAssignmentArgs,
  opts: pulumi.CustomResourceOptions,
): authorization.RoleAssignment {
  return new authorization.RoleAssignment(
    name,
    {
      scope,
      roleAssignmentName: stableGuid(key),
      roleDefinitionId: scope.apply(
        (id) =>
          `/subscriptions/${id.split("/")[2]}/providers/Microsoft.Authorization/roleDefinitions/${roles[role]}`,
      ),
      principalId,
      // Said outright, or Azure looks for an identity that it has just made and may not find yet.
      principalType,
    },
    opts,
  );
}
