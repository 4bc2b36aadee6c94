import * as authorization from "@pulumi/azure-native/authorization/index.js";
import * as containerservice from "@pulumi/azure-native/containerservice/index.js";
import * as pulumi from "@pulumi/pulumi";
import type { AzurePlatform } from "../../config/azure.ts";
import { environmentOf } from "../../config/environment.ts";
import type { Reference } from "../../config/secrets.ts";
import type { Platform } from "../platform.ts";
import { clusterProvider } from "../provider.ts";
import { refuseReplacements } from "../replacement.ts";
import { AksCluster } from "./cluster.ts";
import { fixedChoices } from "./fixed.ts";
import { stackKeyVaults } from "./keyVault.ts";
import { kubeloginKubeconfig } from "./kubeconfig.ts";
import { requireAzureLogin } from "./login.ts";
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
  /** Take over objects in the cluster that another owner has made. */
  readonly takeOver: boolean;
}

/**
 * A new AKS cluster and container registry.
 *
 * @throws InputError when nobody is signed in to Azure, a secret of an existing Key Vault is not there, or a change
 * would replace the cluster or the registry
 */
export async function azurePlatform(
  config: AzurePlatform,
  { project, stack, namespace, repositories, references, takeOver }: AzurePlatformContext,
): Promise<Platform> {
  const { location, keyVaults } = config;
  await requireAzureLogin(config.cluster.login);
  const versions = await existingVersions(keyVaults ?? {}, references);
  const account = keyVaults === undefined ? undefined : await authorization.getClientConfig();
  const baseName = `${project}-${stack}`;
  const groupName = config.resourceGroup ?? `rg-${baseName}`;
  const fixed = fixedChoices(config, groupName, baseName);
  if (!config.allowReplace) await refuseReplacements(fixed);
  const tags = { ...config.tags, project, stack, environment: environmentOf(stack, config.environment) };
  const group = resourceGroup("azure-resource-group", {
    name: groupName,
    location,
    tags,
  });
  const cluster = new AksCluster("azure", {
    resourceGroup: group,
    location,
    tags,
    baseName,
    settings: config.cluster,
    mountsKeyVaults: keyVaults !== undefined,
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
    fixed,
  };
}
