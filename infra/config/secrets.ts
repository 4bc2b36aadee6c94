import { z } from "zod";
import type { GitopsConfig } from "./delivery.ts";
import type { Exposure } from "./exposure.ts";
import { type VaultReference, vaultReference } from "./keyVault.ts";
import type { PlatformConfig } from "./platform.ts";
import { environmentName, secretString } from "./primitives.ts";
import type { StackConfig } from "./stack.ts";

/** Where a secret environment variable comes from: encrypted in the stack's file, or a Key Vault. */
export const secret = z.union([secretString, z.strictObject({ keyVault: vaultReference })], {
  error: 'must be a string, or { keyVault: "vault/secret" }',
});

/** Secret environment variables of one workload, by name. */
export const secrets = z.record(environmentName, secret).default({});

export type Secrets = z.output<typeof secrets>;

/** The secret environment variables that are in a Key Vault. */
export function vaultReferences(given: Secrets): { readonly [name: string]: VaultReference } {
  return Object.fromEntries(
    Object.entries(given).flatMap(([name, value]) =>
      typeof value === "string" ? [] : [[name, value.keyVault]],
    ),
  );
}

/** A workload's reference to a Key Vault: the path of its key in the configuration, and what it names. */
export interface Reference {
  readonly workload: string;
  readonly path: readonly string[];
  readonly to: VaultReference;
  /** A certificate is followed by the ingress controller, and rolls no pods. */
  readonly certificate: boolean;
}

/** Everything in a stack's configuration that refers to a Key Vault. */
export function referencesOf({ secrets, exposure }: Pick<StackConfig, "secrets" | "exposure">): Reference[] {
  return [
    ...Object.entries<Secrets>(secrets).flatMap(([workload, given]) =>
      Object.entries(vaultReferences(given)).map(([variable, to]) => ({
        workload,
        path: ["secrets", workload, variable, "keyVault"],
        to,
        certificate: false,
      })),
    ),
    ...Object.entries<Exposure>(exposure).flatMap(([workload, given]) =>
      given.type === "Ingress"
        ? [
            {
              workload,
              path: ["exposure", workload, "tls", "keyVault"],
              to: given.tls.keyVault,
              certificate: true,
            },
          ]
        : [],
    ),
  ];
}

/** Why a reference cannot be followed on this platform, if it cannot. */
function problemOf(
  platform: PlatformConfig,
  { vault }: VaultReference,
): { message: string; hint: string } | undefined {
  if (platform.kind === "local") {
    return {
      message: "needs a Key Vault, and a local platform has none",
      hint: "Set the value itself: pulumi config set --secret --path",
    };
  }
  const vaults = Object.keys(platform.keyVaults ?? {});
  if (vaults.includes(vault)) return undefined;
  return {
    message: `names a Key Vault that slipway:platform.keyVaults does not have${vaults.length === 0 ? "" : `: it has ${vaults.join(", ")}`}`,
    hint: "Add the vault there, or correct its name",
  };
}

/** Refuses what refers to vaults that are not there. */
export function checkReferences(
  platform: PlatformConfig,
  references: readonly Reference[],
  context: z.RefinementCtx,
): void {
  for (const { path, to } of references) {
    const problem = problemOf(platform, to);
    if (problem === undefined) continue;
    const { message, hint } = problem;
    context.addIssue({
      code: "custom",
      path: [...path],
      input: `${to.vault}/${to.name}`,
      message,
      params: { hint },
    });
  }
}

function gitopsSecrets({ repository, signingKey, install }: GitopsConfig): string[] {
  const { ssh, token } = repository ?? {};
  return [
    ssh?.pushKey,
    ssh?.pullKey,
    token?.push,
    token?.pull,
    signingKey,
    install && "sso" in install ? install.sso?.clientSecret : undefined,
  ].filter((secret) => secret !== undefined);
}

/** Every secret that a stack's configuration holds. A test keeps this complete. */
export function secretValues({ platform, secrets, delivery, database }: StackConfig): string[] {
  const password = platform.kind === "local" ? platform.registry?.password : undefined;
  return [
    ...Object.values(secrets)
      .flatMap((variables) => Object.values(variables))
      .filter((value) => typeof value === "string"),
    ...(password === undefined ? [] : [password]),
    ...(delivery.kind === "gitops" ? gitopsSecrets(delivery) : []),
    ...(database.kind === "external"
      ? [database.url, decodeURIComponent(URL.parse(database.url)?.password ?? "")].filter(
          (text) => text !== "",
        )
      : []),
  ];
}
