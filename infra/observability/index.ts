import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { Stack } from "../config/load.ts";
import type { Platform } from "../platform/index.ts";
import type { StackNamespace } from "../platform/namespace.ts";
import type { Application } from "../workloads/definition.ts";
import { ChartInstallation } from "./chart.ts";
import { headlampValues, prometheusValues } from "./chartValues.ts";
import { dashboard } from "./dashboard.ts";
import { prometheusRule } from "./prometheusRule.ts";
import { serviceMonitor } from "./serviceMonitor.ts";
import { type Watched, watchedWorkloads } from "./watched.ts";

interface WatchArgs {
  readonly watched: Watched;
  /** API group of the monitor's kind. */
  readonly group: string;
  /** Whether rules and dashboards are kept in the cluster. */
  readonly rules: boolean;
}

/** Monitor, alerts and dashboard of one workload. Pulumi's in either delivery. */
class Watch extends pulumi.ComponentResource {
  constructor(name: string, { watched, group, rules }: WatchArgs, opts?: pulumi.ComponentResourceOptions) {
    super("slipway:observability:Watch", name, {}, opts);
    const parent = { parent: this };
    new kubernetes.apiextensions.CustomResource(`${name}-monitor`, serviceMonitor(watched, group), parent);
    if (rules) {
      new kubernetes.apiextensions.CustomResource(`${name}-rules`, prometheusRule(watched), parent);
      new kubernetes.core.v1.ConfigMap(`${name}-dashboard`, dashboard(watched), parent);
    }
    this.registerOutputs({});
  }
}

/** Watches the stack's workloads, in the way that its configuration says; by default nobody does. */
export function observe(
  application: Application,
  { project, name: stack, config }: Stack,
  { cluster }: Platform,
  namespace: StackNamespace,
): void {
  const { prometheus, headlamp } = config.observability;
  const provider = { provider: cluster.provider };
  if (headlamp !== undefined) {
    new ChartInstallation(
      "headlamp",
      { project, stack, podSecurity: "restricted", own: headlampValues, ...headlamp },
      provider,
    );
  }
  if (prometheus === undefined) return;
  const installed =
    prometheus.kind === "install"
      ? new ChartInstallation(
          "prometheus",
          // The node exporter looks at the node itself.
          { project, stack, podSecurity: "privileged", own: prometheusValues, ...prometheus },
          provider,
        )
      : undefined;
  const azure = prometheus.kind === "azure";
  for (const watched of watchedWorkloads(application, project, stack, config))
    new Watch(
      `${watched.name}-watch`,
      { watched, group: azure ? "azmonitoring.coreos.com" : "monitoring.coreos.com", rules: !azure },
      { ...provider, dependsOn: [namespace, ...(installed === undefined ? [] : [installed])] },
    );
}
