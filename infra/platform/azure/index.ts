import * as containerservice from "@pulumi/azure-native/containerservice/index.js";
import * as pulumi from "@pulumi/pulumi";
import type { AzurePlatform } from "../../config/azure.ts";
import { environmentOf } from "../../config/environment.ts";
import type { Platform } from "../platform.ts";
import { clusterProvider } from "../provider.ts";
import { AksCluster } from "./cluster.ts";
import { kubeloginKubeconfig } from "./kubeconfig.ts";
import { requireAzureLogin } from "./login.ts";
import { AcrRegistry } from "./registry.ts";
import { resourceGroup } from "./resourceGroup.ts";

export interface AzurePlatformContext {
  readonly project: string;
  readonly stack: string;
  /** Repositories that this stack pushes to and pulls from. */
  readonly repositories: readonly string[];
}

/**
 * A new AKS cluster and container registry.
 *
 * @throws InputError when nobody is signed in to Azure
 */
export async function azurePlatform(
  config: AzurePlatform,
  { project, stack, repositories }: AzurePlatformContext,
): Promise<Platform> {
  await requireAzureLogin(config.cluster.login);
  const baseName = `${project}-${stack}`;
  const { location } = config;
  const tags = { ...config.tags, project, stack, environment: environmentOf(stack, config.environment) };
  const group = resourceGroup("azure-resource-group", {
    name: config.resourceGroup ?? `rg-${baseName}`,
    location,
    tags,
  });
  const cluster = new AksCluster("azure", {
    resourceGroup: group,
    location,
    tags,
    baseName,
    settings: config.cluster,
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
  return {
    cluster: {
      provider: clusterProvider(
        "cluster",
        { kubeconfig, clusterIdentifier: cluster.id, disposable: false },
        { dependsOn: [...cluster.pools] },
      ),
      kubeconfig,
      clusterIdentifier: cluster.id,
      disposable: false,
    },
    registry: {
      server: registry.server,
      push: registry.push,
      ...(registry.pull === undefined ? {} : { pull: registry.pull }),
    },
    builder: { platform: "linux/amd64" },
  };
}
