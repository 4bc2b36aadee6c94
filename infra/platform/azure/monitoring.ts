import * as monitor from "@pulumi/azure-native/monitor/index.js";
import * as operationalinsights from "@pulumi/azure-native/operationalinsights/index.js";
import * as pulumi from "@pulumi/pulumi";
import type { Monitoring } from "../../config/monitoring.ts";
import type { AzureResourceGroup } from "./resourceGroup.ts";

export interface ClusterMonitoringArgs {
  readonly resourceGroup: AzureResourceGroup;
  readonly location: string;
  readonly tags: { readonly [name: string]: string };
  /** Name of the cluster. */
  readonly cluster: string;
  readonly settings: Monitoring;
}

/** Name of what Azure itself would call by this rule, cut where a name may be no longer. */
function nameOf(prefix: string, { location, cluster }: ClusterMonitoringArgs, longest: number): string {
  return `${prefix}-${location}-${cluster}`.slice(0, longest).replace(/-$/, "");
}

/**
 * Where a cluster's logs or metrics go. The cluster is made with `agents`, and `collect` tells them what to send, once it
 * is there.
 */
export class ClusterMonitoring extends pulumi.ComponentResource {
  /** Inputs of the cluster: what runs on its nodes. */
  readonly agents: {
    readonly omsagent: { enabled: boolean; config?: { [key: string]: pulumi.Input<string> } };
    readonly metrics: { enabled: boolean };
  };
  readonly #name: string;
  readonly #association: { readonly name: string; readonly rule: pulumi.Output<string> } | undefined;

  constructor(name: string, args: ClusterMonitoringArgs, opts?: pulumi.ComponentResourceOptions) {
    super("slipway:azure:ClusterMonitoring", name, {}, opts);
    this.#name = name;
    const { settings } = args;
    const off = { omsagent: { enabled: false }, metrics: { enabled: false } };
    switch (settings.kind) {
      case "none":
        this.agents = off;
        break;
      case "containerInsights": {
        const { workspace, rule } = this.#containerInsights(args, settings.retentionDays);
        const config = { logAnalyticsWorkspaceResourceID: workspace, useAADAuth: "true" };
        this.agents = { ...off, omsagent: { enabled: true, config } };
        this.#association = { name: "ContainerInsightsExtension", rule };
        break;
      }
      case "managedPrometheus":
        this.agents = { ...off, metrics: { enabled: true } };
        this.#association = { name: "ContainerInsightsMetricsExtension", rule: this.#prometheus(args) };
        break;
    }
    this.registerOutputs();
  }

  /** Has the agents of a cluster send what they are to. */
  collect(cluster: pulumi.Output<string>): void {
    if (this.#association === undefined) return;
    const { name: associationName, rule } = this.#association;
    new monitor.DataCollectionRuleAssociation(
      `${this.#name}-association`,
      // The agents look for an association of this very name.
      { resourceUri: cluster, associationName, dataCollectionRuleId: rule },
      { parent: this },
    );
  }

  #containerInsights(args: ClusterMonitoringArgs, retentionInDays: number) {
    const { resourceGroup, location, tags, cluster } = args;
    const workspace = new operationalinsights.Workspace(
      `${this.#name}-logs`,
      {
        resourceGroupName: resourceGroup.name,
        location,
        tags,
        workspaceName: `log-${cluster}`.slice(0, 63).replace(/-$/, ""),
        sku: { name: "PerGB2018" },
        retentionInDays,
      },
      { parent: this, dependsOn: [resourceGroup.resource] },
    );
    const streams = ["Microsoft-ContainerInsights-Group-Default"];
    const destination = "ciworkspace";
    const rule = new monitor.DataCollectionRule(
      `${this.#name}-log-rule`,
      {
        resourceGroupName: resourceGroup.name,
        location,
        tags,
        dataCollectionRuleName: nameOf("MSCI", args, 64),
        kind: "Linux",
        dataSources: {
          extensions: [
            {
              name: "ContainerInsightsExtension",
              extensionName: "ContainerInsights",
              streams,
              extensionSettings: {
                dataCollectionSettings: {
                  interval: "1m",
                  namespaceFilteringMode: "Off",
                  enableContainerLogV2: true,
                },
              },
            },
          ],
        },
        destinations: { logAnalytics: [{ name: destination, workspaceResourceId: workspace.id }] },
        dataFlows: [{ streams, destinations: [destination] }],
      },
      { parent: this },
    );
    return { workspace: workspace.id, rule: rule.id };
  }

  #prometheus(args: ClusterMonitoringArgs): pulumi.Output<string> {
    const { resourceGroup, location, tags, cluster } = args;
    const common = { resourceGroupName: resourceGroup.name, location, tags };
    const opts = { parent: this, dependsOn: [resourceGroup.resource] };
    const workspace = new monitor.AzureMonitorWorkspace(
      `${this.#name}-metrics`,
      { ...common, azureMonitorWorkspaceName: `amw-${cluster}`.slice(0, 44).replace(/-$/, "") },
      opts,
    );
    const endpoint = new monitor.DataCollectionEndpoint(
      `${this.#name}-endpoint`,
      {
        ...common,
        dataCollectionEndpointName: nameOf("MSProm", args, 44),
        kind: "Linux",
        networkAcls: { publicNetworkAccess: "Enabled" },
      },
      opts,
    );
    const streams = ["Microsoft-PrometheusMetrics"];
    const destination = "MonitoringAccount1";
    const rule = new monitor.DataCollectionRule(
      `${this.#name}-metrics-rule`,
      {
        ...common,
        dataCollectionRuleName: nameOf("MSProm", args, 64),
        kind: "Linux",
        dataCollectionEndpointId: endpoint.id,
        dataSources: { prometheusForwarder: [{ name: "PrometheusDataSource", streams }] },
        destinations: { monitoringAccounts: [{ name: destination, accountResourceId: workspace.id }] },
        dataFlows: [{ streams, destinations: [destination] }],
      },
      { parent: this },
    );
    return rule.id;
  }
}
