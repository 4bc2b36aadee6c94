import type { types } from "@pulumi/kubernetes";
import { appRouting } from "./ingress.ts";
import { metadata, selectorLabels } from "./labels.ts";
import type { Release } from "./release.ts";

/** Lets pods look up names; CoreDNS is in kube-system on every platform that Slipway knows. */
const dns = {
  to: [
    {
      namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "kube-system" } },
      podSelector: { matchLabels: { "k8s-app": "kube-dns" } },
    },
  ],
  ports: [
    { protocol: "UDP", port: 53 },
    { protocol: "TCP", port: 53 },
  ],
};

const ingressController = {
  namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": appRouting.namespace } },
};

/**
 * Nobody connects to the workload and it connects to nobody, but for what its definition and the stack say: an
 * exposed port is open to all, or to the ingress controller alone, the others to the workloads that declare
 * `connectsTo`, its metrics to Prometheus.
 */
export function networkPolicy(release: Release) {
  const { workload, clients, servers, stack, scrapedFrom } = release;
  if (workload.exemptions?.noNetworkPolicy) return undefined;
  const numbers = Object.values(workload.ports);
  const exposed = numbers.slice(0, 1);
  const { type } = release.exposure;
  const ports = (list: readonly number[]) => list.map((port) => ({ protocol: "TCP", port }));
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: metadata(release),
    spec: {
      podSelector: { matchLabels: selectorLabels(release) },
      policyTypes: ["Ingress", "Egress"],
      ingress: [
        ...(type === "NodePort" || type === "LoadBalancer" ? [{ ports: ports(exposed) }] : []),
        ...(type === "Ingress" ? [{ from: [ingressController], ports: ports(exposed) }] : []),
        ...(clients.length > 0
          ? [
              {
                from: clients.map((name) => ({
                  podSelector: { matchLabels: selectorLabels({ name, stack }) },
                })),
                ports: ports(numbers),
              },
            ]
          : []),
        ...(scrapedFrom !== undefined && workload.metrics !== undefined
          ? [
              {
                from: [
                  { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": scrapedFrom } } },
                ],
                ports: ports([workload.ports[workload.metrics.port] as number]),
              },
            ]
          : []),
      ],
      egress: [
        dns,
        ...Object.entries(servers).map(([name, list]) => ({
          to: [{ podSelector: { matchLabels: selectorLabels({ name, stack }) } }],
          ports: ports(list),
        })),
        ...(workload.egress ?? []).map(({ cidr, port }) => ({
          to: [{ ipBlock: { cidr } }],
          ports: ports([port]),
        })),
      ],
    },
  } satisfies types.input.networking.v1.NetworkPolicy;
}
