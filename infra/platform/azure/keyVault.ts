import * as keyvault from "@pulumi/azure-native/keyvault/index.js";
import * as pulumi from "@pulumi/pulumi";
import { InputError } from "../../config/error.ts";
import type { KeyVaults, VaultReference } from "../../config/keyVault.ts";
import type { AzureResourceGroup } from "./resourceGroup.ts";
import { roleAssignment } from "./roleAssignment.ts";

type NewVault = Extract<KeyVaults[string], { kind: "new" }>;

export interface StackKeyVaultArgs {
  readonly resourceGroup: AzureResourceGroup;
  readonly location: string;
  readonly tags: { readonly [name: string]: string };
  readonly tenantId: string;
  /** Name of the vault, unique in the world. */
  readonly vaultName: string;
  readonly settings: NewVault;
}

/** A vault for the stack's secrets. Who may set them is decided by Entra ID roles alone. */
export class StackKeyVault extends pulumi.ComponentResource {
  readonly id: pulumi.Output<string>;

  constructor(
    name: string,
    { resourceGroup, location, tags, tenantId, vaultName, settings }: StackKeyVaultArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("slipway:azure:StackKeyVault", name, {}, opts);
    const vault = new keyvault.Vault(
      `${name}-vault`,
      {
        resourceGroupName: resourceGroup.name,
        location,
        tags,
        vaultName,
        properties: {
          tenantId,
          sku: { family: "A", name: "standard" },
          enableRbacAuthorization: true,
          enableSoftDelete: true,
          softDeleteRetentionInDays: settings.retentionDays,
          // Azure refuses a false.
          ...(settings.purgeProtection ? { enablePurgeProtection: true } : {}),
        },
      },
      { parent: this, dependsOn: [resourceGroup.resource] },
    );
    for (const group of settings.officers) {
      roleAssignment(
        `${name}-officer-${group}`,
        {
          scope: vault.id,
          role: "Key Vault Secrets Officer",
          principalId: group,
          principalType: "Group",
          key: `${vaultName}/officer/${group}`,
        },
        { parent: this },
      );
    }
    this.id = vault.id;
    this.registerOutputs({ id: this.id });
  }
}

/** The vaults that a stack makes itself, by name. */
export function stackKeyVaults(
  vaults: KeyVaults,
  args: Omit<StackKeyVaultArgs, "vaultName" | "settings">,
): { readonly [vault: string]: StackKeyVault } {
  return Object.fromEntries(
    Object.entries(vaults).flatMap(([vaultName, settings]) =>
      settings.kind === "new"
        ? [[vaultName, new StackKeyVault(`azure-${vaultName}`, { ...args, vaultName, settings })]]
        : [],
    ),
  );
}

/**
 * Version that a secret has now, without its value.
 *
 * @param key of the configuration that refers to the secret
 * @throws InputError when the secret is not there or may not be looked up
 */
export async function currentVersion(
  key: string,
  resourceGroupName: string,
  { vault, name }: VaultReference,
): Promise<string> {
  try {
    const { properties } = await keyvault.getSecret({
      resourceGroupName,
      vaultName: vault,
      secretName: name,
    });
    return properties.secretUriWithVersion.split("/").at(-1) as string;
  } catch (error) {
    const { message } = error as Error;
    const missing = /NotFound|404/.test(message);
    throw new InputError({
      key,
      value: `${vault}/${name}`,
      rule: missing
        ? `is not in Azure: the resource group ${resourceGroupName} has no such vault, or the vault no such secret`
        : `cannot be looked up: ${message.split("\n")[0]}`,
      hint: missing
        ? `Set it: az keyvault secret set --vault-name ${vault} --name ${name} --file FILE`
        : "Check that you may read the vault: its deployer needs the role Reader on it",
    });
  }
}
