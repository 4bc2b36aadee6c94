import { z } from "zod";

/** A Key Vault's name, unique in the world. */
const vaultName = z
  .string()
  .regex(
    /^(?!.*--)[a-zA-Z][a-zA-Z0-9-]{1,22}[a-zA-Z0-9]$/,
    "must be a Key Vault's name: 3 to 24 letters, digits and single dashes, a letter first and no dash at the end",
  );

const resourceGroup = z.string().min(1, "must not be empty").describe("Resource group that the vault is in.");

const existingVault = z.strictObject({
  kind: z.literal("existing").describe("A vault of this subscription, with RBAC authorization."),
  resourceGroup,
});

const newVault = z.strictObject({
  kind: z.literal("new").describe("A vault that this stack makes, with RBAC authorization and soft delete."),
  purgeProtection: z
    .boolean()
    .default(false)
    .describe("Nobody can remove the vault or a secret for good before retentionDays. Cannot be turned off."),
  retentionDays: z
    .int("must be a whole number")
    .min(7, "must be from 7 to 90")
    .max(90, "must be from 7 to 90")
    .default(90)
    .describe("Days for which what was deleted can be recovered. Cannot be changed."),
  officers: z
    .array(z.guid("must be the object id (a GUID) of an Entra ID group"))
    .default([])
    .describe("Entra ID groups that may set secrets in it."),
});

/** The vaults that a stack may refer to, by name. */
export const keyVaults = z.record(vaultName, z.discriminatedUnion("kind", [existingVault, newVault]));

/** The same for a stack that makes nothing but its namespace. */
export const existingKeyVaults = z.record(vaultName, z.discriminatedUnion("kind", [existingVault]));

/** A secret or certificate of a Key Vault. */
export interface VaultReference {
  readonly vault: string;
  readonly name: string;
}

/** `vault/name`, never a version: the current one is what counts. */
export const vaultReference = z
  .string('must be "vault/name"')
  .regex(/^[a-zA-Z][a-zA-Z0-9-]{2,23}\/[a-zA-Z0-9-]{1,127}$/, {
    error:
      'must be "vault/name": the name of a Key Vault, a slash, and 1 to 127 letters, digits and dashes, without a version',
    // What it names cannot be looked for.
    abort: true,
  })
  .transform((text): VaultReference => {
    const [vault, name] = text.split("/") as [string, string];
    return { vault, name };
  });

export type KeyVaults = z.output<typeof keyVaults>;
