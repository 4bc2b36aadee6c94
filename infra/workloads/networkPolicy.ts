import type { types } from "@pulumi/kubernetes";
import { analysisName } from "./analysisTemplate.ts";
import { serverName } from "./database.ts";
import { appRouting } from "./ingress.ts";
import { metadata, selectorLabels } from "./labels.ts";
import { migrationName } from "./migrationJob.ts";
import type { Release } from "./release.ts";
import { rolloutsNamespace } from "./rollout.ts";

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

/** The analysis of the new pods, where there is one. */
function analysisOf({ strategy }: Release) {
  return strategy.kind === "rolling" ? undefined : strategy.analysis;
}

/** The workload's pods, and those that migrate its database or analyse new pods. */
function pods(release: Release) {
  const { name, stack, database } = release;
  const { "app.kubernetes.io/name": own, ...shared } = selectorLabels({ name, stack });
  const helpers = [
    ...(database === undefined ? [] : [migrationName({ name })]),
    ...(analysisOf(release)?.kind === "job" ? [analysisName({ name })] : []),
  ];
  if (helpers.length === 0) return { matchLabels: { "app.kubernetes.io/name": own, ...shared } };
  return {
    matchLabels: shared,
    matchExpressions: [{ key: "app.kubernetes.io/name", operator: "In", values: [own, ...helpers] }],
  };
}

/** Who carries out the analysis: a pod of the namespace, or the controller itself. */
function analyst(release: Release) {
  const { name, stack } = release;
  switch (analysisOf(release)?.kind) {
    case undefined:
      return [];
    case "job":
      return [{ podSelector: { matchLabels: selectorLabels({ name: analysisName({ name }), stack }) } }];
    case "web":
      return [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": rolloutsNamespace } } }];
  }
}

/** The database: a server in the namespace by its labels, any other by its port alone, for a policy knows no host names. */
function databaseEgress({ database, stack }: Release) {
  if (database === undefined) return [];
  const ports = [{ protocol: "TCP", port: database.port }];
  const to = [{ podSelector: { matchLabels: selectorLabels({ name: serverName, stack }) } }];
  return [{ ...(database.inCluster ? { to } : {}), ports }];
}

/** The collector of traces, by its port alone: a policy knows no host names. */
function tracesEgress({ traces }: Release): { to?: never[]; ports: { protocol: string; port: number }[] }[] {
  if (traces === undefined) return [];
  const { port, protocol } = new URL(traces);
  return [{ ports: [{ protocol: "TCP", port: Number(port || (protocol === "https:" ? 443 : 80)) }] }];
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
  const analysts = analyst(release);
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
        ...(analysts.length > 0 ? [{ from: analysts, ports: ports(exposed) }] : []),
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
        ...tracesEgress(release),
        ...(analysisOf(release)?.kind === "job"
          ? [
              {
                to: [{ podSelector: { matchLabels: selectorLabels(release) } }],
                ports: ports(exposed),
              },
            ]
          : []),
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
