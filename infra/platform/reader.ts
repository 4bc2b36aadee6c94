import { InputError } from "../config/error.ts";
import type { Cluster } from "./platform.ts";

/**
 * Reads single objects of a cluster before the program registers anything.
 *
 * @param kubeconfig content of a kubeconfig
 * @throws InputError when the cluster does not answer, or not this user
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
      const reason = error instanceof ApiException ? `HTTP ${error.code}` : (error as Error).message;
      throw new InputError({
        key: "slipway:platform",
        rule: `is a cluster that cannot be asked for ${kind} ${namespace}/${name}: ${reason}`,
        hint: "Check that it runs, and that you are signed in to it",
      });
    }
  };
}
