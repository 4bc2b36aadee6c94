import * as authorization from "@pulumi/azure-native/authorization/index.js";
import * as containerservice from "@pulumi/azure-native/containerservice/index.js";
import * as pulumi from "@pulumi/pulumi";
import type { AzurePlatform } from "../../config/azure.ts";
import { environmentOf } from "../../config/environment.ts";
import type { Reference } from "../../config/secrets.ts";
import type { Platform } from "../platform.ts";
import { clusterProvider } from "../provider.ts";
import { type FixedChoices, refuseReplacements } from "../replacement.ts";
import { AksCluster } from "./cluster.ts";
import { fixedChoices } from "./fixed.ts";
import { stackKeyVaults } from "./keyVault.ts";
import { kubeloginKubeconfig } from "./kubeconfig.ts";
import { requireAzureLogin } from "./login.ts";
import type { StackNetwork, StackNetworkArgs } from "./network.ts";
import { AcrRegistry } from "./registry.ts";
import { resourceGroup } from "./resourceGroup.ts";
import { existingVersions, provideVaultAccess } from "./vaultAccess.ts";

export interface AzurePlatformContext {
  readonly project: string;
  readonly stack: string;
  readonly namespace: string;
  /** Repositories that this stack pushes to and pulls from. */
  readonly repositories: readonly string[];
  /** What the stack's configuration refers to in Key Vaults. */
  readonly references: readonly Reference[];
  /** Choices of a database on Azure that cannot be changed in place. */
  readonly databaseChoices: FixedChoices;
  /** Take over objects in the cluster that another owner has made. */
  readonly takeOver: boolean;
}

/** The stack's own network, where it has one. Loaded only then: the module of Azure's networks is a large one. */
async function stackNetwork(
  { network }: AzurePlatform,
  args: Omit<StackNetworkArgs, "addressSpace">,
): Promise<StackNetwork | undefined> {
  if (network === undefined) return undefined;
  const { StackNetwork: Network } = await import("./network.ts");
  return new Network("azure", { ...args, addressSpace: network.addressSpace });
}

/**
 * A new AKS cluster and container registry.
 *
 * @throws InputError when nobody is signed in to Azure, a secret of an existing Key Vault is not there, or a change
 * would replace the cluster, the registry or the database
 */
export async function azurePlatform(
  config: AzurePlatform,
  { project, stack, namespace, repositories, references, databaseChoices, takeOver }: AzurePlatformContext,
): Promise<Platform> {
  const { location, keyVaults } = config;
  await requireAzureLogin(config.cluster.login);
  const versions = await existingVersions(keyVaults ?? {}, references);
  const account = keyVaults === undefined ? undefined : await authorization.getClientConfig();
  const baseName = `${project}-${stack}`;
  const groupName = config.resourceGroup ?? `rg-${baseName}`;
  const lostToo = [...new Set(Object.values(databaseChoices).map(({ loses }) => loses))];
  const fixed = { ...fixedChoices(config, groupName, baseName, lostToo), ...databaseChoices };
  await refuseReplacements(fixed, config.allowReplace);
  const tags = { ...config.tags, project, stack, environment: environmentOf(stack, config.environment) };
  const group = resourceGroup("azure-resource-group", {
    name: groupName,
    location,
    tags,
  });
  const network = await stackNetwork(config, { resourceGroup: group, location, tags, baseName });
  const cluster = new AksCluster("azure", {
    resourceGroup: group,
    location,
    tags,
    baseName,
    settings: config.cluster,
    mountsKeyVaults: keyVaults !== undefined,
    nodesSubnetId: network?.nodesSubnetId,
  });
  const registry = new AcrRegistry("azure", {
    resourceGroup: group,
    location,
    tags,
    settings: config.registry,
    login: config.cluster.login,
    repositories,
    kubeletObjectId: cluster.kubeletObjectId,
    baseName,
  });
  const { kubeconfigs } = containerservice.listManagedClusterUserCredentialsOutput(
    {
      resourceGroupName: group.name,
      resourceName: cluster.name,
      format: "exec",
    },
    { dependsOn: [cluster.cluster] },
  );
  const kubeconfig = pulumi.secret(
    kubeconfigs.apply((list) => kubeloginKubeconfig(list?.[0]?.value ?? "", config.cluster.login)),
  );
  const site = account && {
    subscriptionId: account.subscriptionId,
    tenantId: account.tenantId,
    resourceGroup: group.name,
    location,
    oidcIssuer: cluster.oidcIssuer,
  };
  return {
    ...(site === undefined
      ? {}
      : {
          azure: site,
          vaultAccess: provideVaultAccess({
            site,
            siteReady: [group.resource],
            tags,
            project,
            stack,
            namespace,
            vaults: keyVaults ?? {},
            made: stackKeyVaults(keyVaults ?? {}, {
              resourceGroup: group,
              location,
              tags,
              tenantId: site.tenantId,
            }),
            references,
            versions,
          }),
        }),
    cluster: {
      provider: clusterProvider(
        "cluster",
        { kubeconfig, clusterIdentifier: cluster.id, disposable: false, takeOver },
        { dependsOn: [...cluster.pools] },
      ),
      kubeconfig,
      clusterIdentifier: cluster.id,
      disposable: false,
      location,
      appRouting: config.cluster.appRouting !== undefined,
    },
    registry: {
      server: registry.server,
      push: registry.push,
      ...(registry.pull === undefined ? {} : { pull: registry.pull }),
    },
    builder: { platform: "linux/amd64" },
    serverSite: {
      resourceGroup: group,
      location,
      tags,
      baseName,
      ...(network === undefined
        ? {}
        : { network: { id: network.id, databaseSubnetId: network.databaseSubnetId } }),
      outboundAddressId: cluster.outboundAddressId,
    },
    fixed,
  };
}
