import type { types } from "@pulumi/kubernetes";
import type { Exposure } from "../config/exposure.ts";
import { metadata, selectorLabels } from "./labels.ts";
import { revisionedMetadata } from "./newPodsService.ts";
import type { Release } from "./release.ts";

/** How a load balancer of Azure is to be; other clouds look for other annotations. */
function azureAnnotations(exposure: Exposure): { annotations?: { [name: string]: string } } {
  if (exposure.type !== "LoadBalancer") return {};
  const prefix = "service.beta.kubernetes.io/azure";
  if (exposure.internal) return { annotations: { [`${prefix}-load-balancer-internal`]: "true" } };
  if (exposure.dnsLabel !== undefined)
    return { annotations: { [`${prefix}-dns-label-name`]: exposure.dnsLabel } };
  return {};
}

function serviceMetadata(release: Release) {
  const { annotations } = azureAnnotations(release.exposure);
  if (release.strategy.kind !== "blueGreen")
    return { ...metadata(release), ...(annotations === undefined ? {} : { annotations }) };
  const own = revisionedMetadata(release);
  return { ...own, annotations: { ...own.annotations, ...annotations } };
}

/**
 * The Service in front of a workload: its ports and selector come from the workload, its type from the stack.
 * Only the first port is exposed outside the cluster under the stack's number; the others keep their own.
 */
export function service(release: Release) {
  const { exposure, workload } = release;
  const inside = exposure.type === "ClusterIP" || exposure.type === "Ingress";
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
    metadata: serviceMetadata(release),
    spec: {
      type: inside ? "ClusterIP" : exposure.type,
      selector: selectorLabels(release),
      // A port that is not exposed must not get a NodePort: only the first one leaves the cluster.
      ports: inside ? ports : ports.slice(0, 1),
      ...(exposure.type === "LoadBalancer" && exposure.allowedSources !== undefined
        ? { loadBalancerSourceRanges: exposure.allowedSources }
        : {}),
    },
  } satisfies types.input.core.v1.Service;
}
