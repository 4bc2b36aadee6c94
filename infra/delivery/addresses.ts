import type * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { Exposure } from "../config/exposure.ts";
import type { StackConfig } from "../config/stack.ts";
import type { Application } from "../workloads/definition.ts";
import { type AddressedCluster, configuredUrl, namedUrl, url } from "./url.ts";

/**
 * The URL at which a workload answers: for a ClusterIP from inside the cluster, else for everyone. What the
 * configuration does not tell, the Service does: a NodePort that the cluster picks, or a load balancer's address, is
 * known as soon as the Service is.
 *
 * @param cluster address at which NodePorts answer, which the schema makes sure that a NodePort has; its region
 */
export function serviceUrl(
  service: kubernetes.core.v1.Service,
  exposure: Exposure,
  cluster: AddressedCluster,
): pulumi.Output<string> {
  const named = namedUrl(exposure, cluster);
  if (named !== undefined) return pulumi.output(named);
  const port = service.spec.apply(({ ports }) => ports[0] as kubernetes.types.output.core.v1.ServicePort);
  switch (exposure.type) {
    case "ClusterIP":
    case "Ingress":
      return pulumi
        .all([service.metadata, port])
        .apply(([{ name, namespace }, first]) => url(`${name}.${namespace}.svc`, first.port));
    case "NodePort":
      return port.apply((first) => url(cluster.nodeAddress as string, first.nodePort));
    case "LoadBalancer":
      return pulumi.all([service.status, port]).apply(([{ loadBalancer }, first]) => {
        const ingress = loadBalancer.ingress[0];
        return url(ingress?.ip ?? ingress?.hostname ?? "", first.port);
      });
  }
}

/**
 * The URL of each workload that has a fixed one: what is committed before a Service exists cannot ask the cluster.
 * `checkApplication` makes sure that those which others refer to have one.
 */
export function fixedUrls(
  application: Application,
  { namespace, exposure }: StackConfig,
  cluster: AddressedCluster,
): Readonly<Record<string, string>> {
  const known = Object.entries(application).flatMap(([name, workload]) => {
    const service = { name, namespace, port: Object.values(workload.ports)[0] as number };
    const fixed = configuredUrl(service, exposure[name] as Exposure, cluster);
    return fixed === undefined ? [] : [[name, fixed] as const];
  });
  return Object.fromEntries(known);
}
