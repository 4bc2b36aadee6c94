import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { environmentOf } from "../config/environment.ts";
import { InputError } from "../config/error.ts";
import type { KeyVaults } from "../config/keyVault.ts";
import type { SharedPlatform } from "../config/platform.ts";
import type { Reference } from "../config/secrets.ts";
import { type TakeOver, takesOver } from "../database/kept.ts";
import type { AzureSite, Platform } from "./platform.ts";
import { clusterProvider } from "./provider.ts";
import { clusterReader } from "./reader.ts";

/** Name of the stack output by which a platform is shared. */
export const outputName = "platform";

const credentials = z.object({ username: z.string(), password: z.string() });

/** What a stack tells of its platform to the stacks that share it. Its shape is a contract between versions. */
export const sharedState = z.object({
  version: z.literal(1),
  cluster: z.object({
    kubeconfig: z.string(),
    clusterIdentifier: z.string(),
    disposable: z.boolean(),
    nodeAddress: z.string().optional(),
    location: z.string().optional(),
    appRouting: z.boolean().optional(),
  }),
  registry: z.object({ server: z.string(), push: credentials.optional(), pull: credentials.optional() }),
  builder: z.object({
    platform: z.string(),
    host: z.string().optional(),
    network: z.string().optional(),
    baseImage: z.string().optional(),
  }),
  databaseImage: z.string().optional(),
  azure: z
    .object({
      subscriptionId: z.string(),
      tenantId: z.string(),
      resourceGroup: z.string(),
      location: z.string(),
      oidcIssuer: z.string(),
    })
    .optional(),
  fixed: z.record(z.string(), z.object({ value: z.string(), loses: z.string() })).optional(),
});

type SharedState = z.output<typeof sharedState>;

/** The stack output by which other stacks run on this one's platform. Secret. */
export function sharePlatform({
  cluster,
  registry,
  builder,
  databaseImage,
  azure,
  fixed,
}: Platform): pulumi.Output<SharedState> {
  const { provider: _provider, read: _read, ...access } = cluster;
  const { provider: _docker, ...engine } = builder;
  return pulumi.secret({
    version: 1,
    cluster: access,
    registry,
    builder: engine,
    ...(databaseImage === undefined ? {} : { databaseImage }),
    ...(azure === undefined ? {} : { azure }),
    ...(fixed === undefined ? {} : { fixed }),
  }) as pulumi.Output<SharedState>;
}

export interface SharedPlatformContext extends TakeOver {
  /** What the stack's configuration refers to in Key Vaults. */
  readonly references: readonly Reference[];
  /** Workloads that are exposed by an Ingress. */
  readonly ingresses: readonly string[];
}

/** This stack's own identities, beside the shared cluster. */
async function accessTo(
  vaults: KeyVaults,
  provider: string,
  site: AzureSite | undefined,
  { project, stack, references, namespace }: SharedPlatformContext,
): Promise<Platform["vaultAccess"]> {
  if (references.length === 0) return undefined;
  if (site === undefined) {
    throw new InputError({
      key: "slipway:platform.keyVaults",
      rule: `needs a cluster that mounts Key Vaults, and that of ${provider} does not`,
      hint: `Set slipway:platform.keyVaults: {} in that stack too, and deploy it`,
    });
  }
  const { existingVersions, provideVaultAccess } = await import("./azure/vaultAccess.ts");
  return provideVaultAccess({
    site,
    siteReady: [],
    tags: { project, stack, environment: environmentOf(stack, undefined) },
    project,
    stack,
    namespace,
    vaults,
    made: {},
    references,
    versions: await existingVersions(vaults, references),
  });
}

/**
 * Another stack's cluster and registry.
 *
 * @throws InputError when that stack does not exist, has not been deployed, or was deployed by a version that shares otherwise
 */
export async function sharedPlatform(
  { stack, keyVaults = {} }: SharedPlatform,
  context: SharedPlatformContext,
): Promise<Platform> {
  const reference = new pulumi.StackReference("platform", { name: stack });
  const { value, secretValue } = await reference.getOutputDetails(outputName);
  const shared = secretValue ?? value;
  const key = "slipway:platform.stack";
  if (shared === undefined) {
    throw new InputError({
      key,
      value: stack,
      rule: "has no platform to share",
      hint: `Deploy it first: pulumi up --stack ${stack}`,
    });
  }
  const result = sharedState.safeParse(shared);
  if (!result.success) {
    throw new InputError({
      key,
      value: stack,
      rule: "was deployed by a version of this program that shares its platform in another way",
      hint: `Deploy it again: pulumi up --stack ${stack}`,
    });
  }
  const { cluster, registry, builder, databaseImage, azure } = result.data;
  const kubeconfig = pulumi.secret(cluster.kubeconfig);
  const user = (known: SharedState["registry"]["push"]) =>
    known === undefined ? undefined : { username: known.username, password: pulumi.secret(known.password) };
  const [push, pull] = [user(registry.push), user(registry.pull)];
  const { nodeAddress, clusterIdentifier, disposable, location, appRouting = false } = cluster;
  const [ingress] = context.ingresses;
  if (ingress !== undefined && !appRouting) {
    throw new InputError({
      key: `slipway:exposure.${ingress}.type`,
      value: "Ingress",
      rule: `needs the application routing of AKS, and the cluster of ${stack} does not have it`,
      hint: "Set slipway:platform.cluster.appRouting: {} in that stack, and deploy it",
    });
  }
  const { platform, host, network, baseImage } = builder;
  const read = clusterReader(cluster.kubeconfig);
  const vaultAccess = await accessTo(keyVaults, stack, azure, context);
  return {
    ...(azure === undefined ? {} : { azure }),
    ...(vaultAccess === undefined ? {} : { vaultAccess }),
    ...(databaseImage === undefined ? {} : { databaseImage }),
    cluster: {
      provider: clusterProvider("cluster", {
        kubeconfig,
        clusterIdentifier,
        disposable,
        takeOver: await takesOver({ read, disposable }, context),
      }),
      kubeconfig,
      clusterIdentifier,
      disposable,
      read,
      appRouting,
      ...(nodeAddress === undefined ? {} : { nodeAddress }),
      ...(location === undefined ? {} : { location }),
    },
    registry: {
      server: registry.server,
      ...(push === undefined ? {} : { push }),
      ...(pull === undefined ? {} : { pull }),
    },
    builder: {
      platform,
      ...(host === undefined ? {} : { host, provider: new docker.Provider("docker", { host }) }),
      ...(network === undefined ? {} : { network }),
      ...(baseImage === undefined ? {} : { baseImage }),
    },
  };
}
