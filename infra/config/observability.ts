import { z } from "zod";
import type { PlatformConfig } from "./platform.ts";
import { dnsLabel } from "./primitives.ts";

const chartVersion = z
  .string()
  .regex(/^\d+\.\d+\.\d+(-[\w.]+)?$/, "must be a chart's version, such as 92.21.2");

/** Where a Helm chart comes from, and what is set in it. */
function chart(name: string, version: string, repository: string) {
  return {
    chart: z
      .string()
      .min(1, "must not be empty")
      .default(name)
      .describe("Name in the repository, or the path of a chart on this machine."),
    version: chartVersion.default(version).describe("Version of the chart, pinned."),
    repository: z.url("must be the URL of a chart repository").default(repository),
    values: z.record(z.string(), z.json()).default({}).describe("Values of the chart, over this program's."),
  };
}

const prometheus = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z
      .literal("install")
      .describe("This stack installs kube-prometheus-stack, for every stack of its cluster."),
    namespace: dnsLabel.default("monitoring"),
    ...chart("kube-prometheus-stack", "92.21.2", "https://prometheus-community.github.io/helm-charts"),
  }),
  z.strictObject({
    kind: z
      .literal("existing")
      .describe("The cluster has a Prometheus with the Prometheus Operator's kinds."),
    namespace: dnsLabel.default("monitoring").describe("Namespace that it scrapes from."),
  }),
  z.strictObject({
    kind: z
      .literal("azure")
      .describe(
        "Azure Monitor's managed Prometheus: it is told what to scrape; its rules are Azure's own resources.",
      ),
  }),
]);

const headlamp = z.strictObject({
  namespace: dnsLabel.default("headlamp"),
  ...chart("headlamp", "0.42.0", "https://kubernetes-sigs.github.io/headlamp/"),
});

/** Where the workloads send their traces. */
const traces = z.strictObject({
  endpoint: z
    .url({ protocol: /^https?$/, error: "must be an http or https URL" })
    .refine((value) => URL.parse(value)?.username === "", "must have no user or password in it")
    .describe(
      "A collector of OpenTelemetry that takes OTLP by HTTP, such as http://collector.monitoring:4318.",
    ),
});

/** How what runs is watched. */
export const observability = z.strictObject({
  traces: traces.optional().describe("Where the workloads send their traces. Default: they make none."),
  prometheus: prometheus
    .optional()
    .describe("Scrapes each workload that has metrics; with alert rules and a Grafana dashboard for each."),
  headlamp: headlamp.optional().describe("Installs Headlamp, a Kubernetes dashboard, in the cluster."),
});

/** Refuses Azure's Prometheus where there is none. That of a shared platform is told by the other stack. */
export function checkPrometheus(
  platform: PlatformConfig,
  { prometheus }: Observability,
  context: z.RefinementCtx,
): void {
  if (prometheus?.kind !== "azure") return;
  const refuse = (message: string, hint: string) =>
    context.addIssue({
      code: "custom",
      path: ["observability", "prometheus", "kind"],
      input: prometheus.kind,
      message,
      params: { hint },
    });
  if (platform.kind === "local") refuse("is Azure's, and this platform is local", "Use install or existing");
  if (platform.kind === "azure" && platform.cluster.monitoring.kind !== "managedPrometheus")
    refuse(
      `needs Azure's Prometheus in the cluster, and slipway:platform.cluster.monitoring.kind is ${platform.cluster.monitoring.kind}`,
      "Set slipway:platform.cluster.monitoring.kind to managedPrometheus, or use install or existing",
    );
}

export type Observability = z.output<typeof observability>;
export type PrometheusConfig = NonNullable<Observability["prometheus"]>;
