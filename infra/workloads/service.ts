import type { types } from "@pulumi/kubernetes";
import { metadata, selectorLabels } from "./labels.ts";
import type { Release } from "./release.ts";

/**
 * The Service in front of a workload: its ports and selector come from the workload, its type from the stack.
 * Only the first port is exposed outside the cluster under the stack's number; the others keep their own.
 */
export function service(release: Release) {
  const { exposure, workload } = release;
  const ports = Object.entries(workload.ports).map(([name, number], index) => ({
    name,
    port: index === 0 && exposure.type === "LoadBalancer" ? exposure.port : number,
    targetPort: name,
    protocol: "TCP",
    ...(index === 0 && exposure.type === "NodePort" && exposure.nodePort !== undefined
      ? { nodePort: exposure.nodePort }
      : {}),
  }));
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: {
      ...metadata(release),
      ...(exposure.type === "LoadBalancer" && exposure.internal
        ? { annotations: { "service.beta.kubernetes.io/azure-load-balancer-internal": "true" } }
        : {}),
    },
    spec: {
      type: exposure.type,
      selector: selectorLabels(release),
      // A port that is not exposed must not get a NodePort: only the first one leaves the cluster.
      ports: exposure.type === "ClusterIP" ? ports : ports.slice(0, 1),
      ...(exposure.type === "LoadBalancer" && exposure.allowedSources !== undefined
        ? { loadBalancerSourceRanges: exposure.allowedSources }
        : {}),
    },
  } satisfies types.input.core.v1.Service;
}
