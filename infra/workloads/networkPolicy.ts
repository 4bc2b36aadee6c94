import type { types } from "@pulumi/kubernetes";
import { serverName } from "./database.ts";
import { appRouting } from "./ingress.ts";
import { metadata, selectorLabels } from "./labels.ts";
import { migrationName } from "./migrationJob.ts";
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
/** The workload's pods, and those that migrate its database. */
function pods({ name, stack, database }: Release) {
  const { "app.kubernetes.io/name": own, ...shared } = selectorLabels({ name, stack });
  if (database === undefined) return { matchLabels: { "app.kubernetes.io/name": own, ...shared } };
  return {
    matchLabels: shared,
    matchExpressions: [
      { key: "app.kubernetes.io/name", operator: "In", values: [own, migrationName({ name })] },
    ],
  };
}

/** The database: a server in the namespace by its labels, any other by its port alone, for a policy knows no host names. */
function databaseEgress({ database, stack }: Release) {
  if (database === undefined) return [];
  const ports = [{ protocol: "TCP", port: database.port }];
  const to = [{ podSelector: { matchLabels: selectorLabels({ name: serverName, stack }) } }];
  return [{ ...(database.inCluster ? { to } : {}), ports }];
}

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
      podSelector: pods(release),
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
        ...databaseEgress(release),
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
