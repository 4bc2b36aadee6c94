import type { Exposure } from "../config/exposure.ts";

/** The URL of a port; 80 is the one that browsers leave out. */
export function url(host: string, port: number): string {
  return port === 80 ? `http://${host}` : `http://${host}:${port}`;
}

/**
 * The URL of a workload, as far as configuration alone tells: undefined where a cloud or the cluster gives the
 * address. `serviceUrl` has the same from a Service that exists.
 */
export function configuredUrl(
  service: { readonly name: string; readonly namespace: string; readonly port: number },
  exposure: Exposure,
  nodeAddress: string | undefined,
): string | undefined {
  switch (exposure.type) {
    case "ClusterIP":
      return url(`${service.name}.${service.namespace}.svc`, service.port);
    case "NodePort":
      return exposure.nodePort === undefined || nodeAddress === undefined
        ? undefined
        : url(nodeAddress, exposure.nodePort);
    case "LoadBalancer":
      return undefined;
  }
}
