import type { Exposure } from "../config/exposure.ts";

/** Where a cluster's addresses are, as far as its platform tells. */
export interface AddressedCluster {
  /** Address at which NodePorts answer. */
  readonly nodeAddress?: string | undefined;
  /** Azure region. */
  readonly location?: string | undefined;
}

/** The URL of a port; 80 is the one that browsers leave out. */
export function url(host: string, port: number): string {
  return port === 80 ? `http://${host}` : `http://${host}:${port}`;
}

/** The URL of an exposure that has a name of its own, which the configuration gives; undefined for the others. */
export function namedUrl(exposure: Exposure, { location }: AddressedCluster): string | undefined {
  if (exposure.type === "Ingress") return `https://${exposure.host}`;
  if (exposure.type !== "LoadBalancer" || exposure.dnsLabel === undefined || location === undefined)
    return undefined;
  return url(`${exposure.dnsLabel}.${location}.cloudapp.azure.com`, exposure.port);
}

/**
 * The URL of a workload, as far as configuration alone tells: undefined where a cloud or the cluster gives the
 * address. `serviceUrl` has the same from a Service that exists.
 */
export function configuredUrl(
  service: { readonly name: string; readonly namespace: string; readonly port: number },
  exposure: Exposure,
  cluster: AddressedCluster,
): string | undefined {
  const { nodeAddress } = cluster;
  switch (exposure.type) {
    case "ClusterIP":
      return url(`${service.name}.${service.namespace}.svc`, service.port);
    case "NodePort":
      return exposure.nodePort === undefined || nodeAddress === undefined
        ? undefined
        : url(nodeAddress, exposure.nodePort);
    case "LoadBalancer":
    case "Ingress":
      return namedUrl(exposure, cluster);
  }
}
