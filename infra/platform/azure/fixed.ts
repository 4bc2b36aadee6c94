import type { AzurePlatform } from "../../config/azure.ts";
import type { FixedChoices } from "../replacement.ts";

const cluster = "the AKS cluster, with every workload, volume, certificate and load balancer address in it";
const registry = "the container registry, with every image in it";

/** Choices that Azure takes for a new cluster or registry only. @param others what else is lost with the resource group */
export function fixedChoices(
  config: AzurePlatform,
  resourceGroup: string,
  baseName: string,
  others: readonly string[] = [],
): FixedChoices {
  const { systemPool, apiServerAccess } = config.cluster;
  const both = [cluster, registry, ...others].join(", and ");
  return {
    "the stack's name": { value: baseName, loses: both },
    "slipway:platform.location": { value: config.location, loses: both },
    "slipway:platform.resourceGroup": { value: resourceGroup, loses: both },
    "slipway:platform.network.addressSpace": {
      value: config.network?.addressSpace ?? "none",
      loses: [cluster, ...others].join(", and "),
    },
    "slipway:platform.cluster.apiServerAccess.kind": { value: apiServerAccess.kind, loses: cluster },
    "slipway:platform.cluster.systemPool.vmSize": { value: systemPool.vmSize, loses: cluster },
    "slipway:platform.cluster.systemPool.zones": {
      value: (systemPool.zones ?? []).join(", "),
      loses: cluster,
    },
    "slipway:platform.registry.name": { value: config.registry.name ?? "generated", loses: registry },
  };
}

/** The same choices as Azure names them, for Pulumi to replace what Azure would refuse to change. */
export const clusterReplaceOnChanges = [
  "apiServerAccessProfile.enablePrivateCluster",
  "agentPoolProfiles[*].vmSize",
  "agentPoolProfiles[*].availabilityZones",
  "agentPoolProfiles[*].vnetSubnetID",
];

/** What Azure never changes of a node pool besides its size: the pool is replaced alone. */
export const poolReplaceOnChanges = [
  "availabilityZones",
  "scaleSetPriority",
  "scaleSetEvictionPolicy",
  "vnetSubnetID",
];
