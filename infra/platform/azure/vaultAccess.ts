import * as managedidentity from "@pulumi/azure-native/managedidentity/index.js";
import * as pulumi from "@pulumi/pulumi";
import type { KeyVaults } from "../../config/keyVault.ts";
import type { Reference } from "../../config/secrets.ts";
import type { VaultAccess } from "../../workloads/release.ts";
import type { AzureSite } from "../platform.ts";
import { currentVersion, type StackKeyVault } from "./keyVault.ts";
import { roleAssignment } from "./roleAssignment.ts";

/** Version of each secret, by `vault/name`. */
export type Versions = { readonly [secret: string]: string };

function secretKey({ to: { vault, name } }: Reference): string {
  return `${vault}/${name}`;
}

function keyOf({ path }: Reference): string {
  return `slipway:${path.join(".")}`;
}

/**
 * Looks up the secrets that are in vaults which exist, before anything is created.
 *
 * @throws InputError when one is not there
 */
export async function existingVersions(
  vaults: KeyVaults,
  references: readonly Reference[],
): Promise<Versions> {
  const found = await Promise.all(
    references.map(async (reference) => {
      const { to, certificate } = reference;
      const vault = vaults[to.vault];
      return vault?.kind === "existing" && !certificate
        ? [[secretKey(reference), await currentVersion(keyOf(reference), vault.resourceGroup, to)]]
        : [];
    }),
  );
  return Object.fromEntries(found.flat());
}

interface WorkloadIdentityArgs {
  readonly site: AzureSite;
  /** What the site's resource group is ready after. */
  readonly siteReady: readonly pulumi.Resource[];
  readonly tags: { readonly [name: string]: string };
  /** Text that names the workload of this stack and no other: `shop-dev-api`. */
  readonly baseName: string;
  readonly workload: string;
  readonly namespace: string;
  /** Azure ids of the secrets that it may read, by `vault/name`. */
  readonly secrets: { readonly [name: string]: pulumi.Output<string> };
}

/** An identity that the workload's pods, and nobody else, sign in to Azure as, and that may read the workload's secrets. */
class WorkloadIdentity extends pulumi.ComponentResource {
  /** Known once Azure would let the workload in. */
  readonly clientId: pulumi.Output<string>;

  constructor(
    name: string,
    { site, siteReady, tags, baseName, workload, namespace, secrets }: WorkloadIdentityArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("slipway:azure:WorkloadIdentity", name, {}, opts);
    const resourceName = `id-${baseName}`;
    const identity = new managedidentity.UserAssignedIdentity(
      `${name}-identity`,
      { resourceGroupName: site.resourceGroup, location: site.location, tags, resourceName },
      { parent: this, dependsOn: [...siteReady] },
    );
    const federation = new managedidentity.FederatedIdentityCredential(
      `${name}-federation`,
      {
        resourceGroupName: site.resourceGroup,
        resourceName,
        federatedIdentityCredentialResourceName: "kubernetes",
        issuer: site.oidcIssuer,
        subject: `system:serviceaccount:${namespace}:${workload}`,
        audiences: ["api://AzureADTokenExchange"],
      },
      { parent: this, dependsOn: [identity] },
    );
    const roles = Object.entries(secrets).map(([secret, scope]) =>
      roleAssignment(
        `${name}-secret-${secret.replace("/", "-")}`,
        {
          scope,
          role: "Key Vault Secrets User",
          principalId: identity.principalId,
          key: `${baseName}/secret/${secret}`,
        },
        { parent: this },
      ),
    );
    this.clientId = pulumi
      .all([identity.clientId, pulumi.all([federation.id, ...roles.map(({ id }) => id)])])
      .apply(([clientId]) => clientId);
    this.registerOutputs({ clientId: this.clientId });
  }
}

export interface VaultAccessArgs {
  readonly site: AzureSite;
  /** What the site's resource group is ready after. */
  readonly siteReady: readonly pulumi.Resource[];
  readonly tags: { readonly [name: string]: string };
  readonly project: string;
  readonly stack: string;
  readonly namespace: string;
  readonly vaults: KeyVaults;
  /** Vaults that this stack makes. */
  readonly made: { readonly [vault: string]: StackKeyVault };
  readonly references: readonly Reference[];
  /** Versions of the secrets in existing vaults. */
  readonly versions: Versions;
}

/**
 * An identity for each workload that refers to Key Vaults, which may read the secrets that it refers to and nothing
 * else, and the secrets' current versions.
 */
export function provideVaultAccess(args: VaultAccessArgs): { readonly [workload: string]: VaultAccess } {
  const { site, siteReady, tags, project, stack, namespace, vaults, made, references, versions } = args;
  const { subscriptionId, tenantId, resourceGroup } = site;
  const versionOf = (reference: Reference) => {
    const { vault } = reference.to;
    const known = versions[secretKey(reference)];
    return known === undefined
      ? (made[vault] as StackKeyVault).id.apply(() =>
          currentVersion(keyOf(reference), resourceGroup, reference.to),
        )
      : pulumi.output(known);
  };
  const idOf = ({ to: { vault, name } }: Reference) => {
    const found = vaults[vault];
    const group = found?.kind === "existing" ? found.resourceGroup : resourceGroup;
    return `/subscriptions/${subscriptionId}/resourceGroups/${group}/providers/Microsoft.KeyVault/vaults/${vault}/secrets/${name}`;
  };
  const accessOf = (workload: string): VaultAccess => {
    const own = references.filter((reference) => reference.workload === workload);
    const current = Object.fromEntries(
      own
        .filter(({ certificate }) => !certificate)
        .map((reference) => [secretKey(reference), versionOf(reference)]),
    );
    const identity = new WorkloadIdentity(`azure-${workload}`, {
      site,
      siteReady,
      tags,
      baseName: `${project}-${stack}-${workload}`,
      workload,
      namespace,
      // A role can be given only on a secret that is there.
      secrets: Object.fromEntries(
        own.map((reference) => {
          const { vault } = reference.to;
          const ready = current[secretKey(reference)] ?? made[vault]?.id ?? pulumi.output("");
          return [secretKey(reference), ready.apply(() => idOf(reference))];
        }),
      ),
    });
    return { clientId: identity.clientId, tenantId, versions: current };
  };
  const workloads = [...new Set(references.map(({ workload }) => workload))];
  return Object.fromEntries(workloads.map((workload) => [workload, accessOf(workload)]));
}
