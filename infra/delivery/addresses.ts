import type * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { Exposure } from "../config/exposure.ts";
import { url } from "./url.ts";

/**
 * The URL at which a Service answers: for a ClusterIP from inside the cluster, else for everyone. It is what the
 * cluster tells of the Service, so a NodePort that the cluster picks or a load balancer's address is known as soon
 * as the Service is.
 *
 * @param nodeAddress address at which NodePorts answer; the schema makes sure that a NodePort has one
 */
export function serviceUrl(
  service: kubernetes.core.v1.Service,
  exposure: Exposure,
  nodeAddress: string | undefined,
): pulumi.Output<string> {
  const port = service.spec.apply(({ ports }) => ports[0] as kubernetes.types.output.core.v1.ServicePort);
  switch (exposure.type) {
    case "ClusterIP":
      return pulumi
        .all([service.metadata, port])
        .apply(([{ name, namespace }, first]) => url(`${name}.${namespace}.svc`, first.port));
    case "NodePort":
      return port.apply((first) => url(nodeAddress as string, first.nodePort));
    case "LoadBalancer":
      return pulumi.all([service.status, port]).apply(([{ loadBalancer }, first]) => {
        const ingress = loadBalancer.ingress[0];
        return url(ingress?.ip ?? ingress?.hostname ?? "", first.port);
      });
  }
}
