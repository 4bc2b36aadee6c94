import type { Cluster } from "./platform.ts";

/**
 * Reads single objects of a cluster before the program registers anything.
 *
 * @param kubeconfig content of a kubeconfig
 */
export function clusterReader(kubeconfig: string): NonNullable<Cluster["read"]> {
  return async (apiVersion, kind, namespace, name) => {
    const { ApiException, KubeConfig, KubernetesObjectApi } = await import("@kubernetes/client-node");
    const config = new KubeConfig();
    config.loadFromString(kubeconfig);
    try {
      return await KubernetesObjectApi.makeApiClient(config).read({
        apiVersion,
        kind,
        metadata: { namespace, name },
      });
    } catch (error) {
      if (error instanceof ApiException && error.code === 404) return undefined;
      throw error;
    }
  };
}
