import { expect, test, vi } from "vitest";
import { houseRules } from "../../infra/policy/rules.ts";
import { type Run, runProgram } from "../support/program.ts";

vi.mock("../../infra/platform/azure/login.ts", () => ({ requireAzureLogin: async () => {} }));
vi.mock("../../infra/images/buildNumber.ts", () => ({ buildNumber: () => "0123456789" }));

const run = (monitoring?: object) =>
  runProgram("dev", {
    "slipway:platform": {
      kind: "azure",
      location: "westeurope",
      cluster: { kubernetesVersion: "1.34", ...(monitoring === undefined ? {} : { monitoring }) },
    },
    "slipway:exposure": { api: { type: "LoadBalancer" }, frontend: { type: "LoadBalancer" } },
  });

function inputsOf({ resources }: Run, type: string): Record<string, unknown> {
  const found = resources.filter((resource) => resource.type === `azure-native:${type}`);
  expect(found).toHaveLength(1);
  return found[0]?.inputs as Record<string, unknown>;
}

const cluster = "containerservice:ManagedCluster";
const watching = ({ resources }: Run) =>
  resources.map(({ type }) => type).filter((type) => /monitor:|operationalinsights:/.test(type));

test("nothing watches the cluster by default, and what did is turned off", async () => {
  const result = await run();
  expect(watching(result)).toEqual([]);
  expect(inputsOf(result, cluster)).toMatchObject({
    addonProfiles: { omsagent: { enabled: false } },
    azureMonitorProfile: { metrics: { enabled: false } },
  });
});

test("Container Insights: logs go by the cluster's own identity to a workspace that keeps them", async () => {
  const result = await run({ kind: "containerInsights", retentionDays: 90 });
  const workspace = inputsOf(result, "operationalinsights:Workspace");
  expect(workspace).toMatchObject({ sku: { name: "PerGB2018" }, retentionInDays: 90 });
  const workspaceId = expect.stringMatching(/Workspace\/azure-monitoring-logs$/);
  expect(inputsOf(result, cluster)).toMatchObject({
    addonProfiles: {
      omsagent: {
        enabled: true,
        config: { logAnalyticsWorkspaceResourceID: workspaceId, useAADAuth: "true" },
      },
    },
    azureMonitorProfile: { metrics: { enabled: false } },
  });
  const rule = inputsOf(result, "monitor:DataCollectionRule");
  const streams = ["Microsoft-ContainerInsights-Group-Default"];
  expect(rule).toMatchObject({
    dataCollectionRuleName: "MSCI-westeurope-aks-slipway-dev",
    dataSources: { extensions: [{ extensionName: "ContainerInsights", streams }] },
    destinations: { logAnalytics: [{ name: "ciworkspace", workspaceResourceId: workspaceId }] },
    dataFlows: [{ streams, destinations: ["ciworkspace"] }],
  });
  expect(inputsOf(result, "monitor:DataCollectionRuleAssociation")).toEqual({
    associationName: "ContainerInsightsExtension",
    resourceUri: expect.stringMatching(/ManagedCluster\/azure-cluster$/),
    dataCollectionRuleId: expect.stringMatching(/DataCollectionRule\/azure-monitoring-log-rule$/),
  });
});

test("managed Prometheus: metrics go through an endpoint to a workspace", async () => {
  const result = await run({ kind: "managedPrometheus" });
  expect(inputsOf(result, cluster)).toMatchObject({
    addonProfiles: { omsagent: { enabled: false } },
    azureMonitorProfile: { metrics: { enabled: true } },
  });
  const streams = ["Microsoft-PrometheusMetrics"];
  expect(inputsOf(result, "monitor:DataCollectionRule")).toMatchObject({
    dataCollectionEndpointId: expect.stringMatching(/DataCollectionEndpoint\/azure-monitoring-endpoint$/),
    dataSources: { prometheusForwarder: [{ streams }] },
    destinations: {
      monitoringAccounts: [
        {
          name: "MonitoringAccount1",
          accountResourceId: expect.stringMatching(/AzureMonitorWorkspace\/azure-monitoring-metrics$/),
        },
      ],
    },
    dataFlows: [{ streams, destinations: ["MonitoringAccount1"] }],
  });
  expect(inputsOf(result, "monitor:DataCollectionRuleAssociation")).toMatchObject({
    associationName: "ContainerInsightsMetricsExtension",
  });
});

test.each(["containerInsights", "managedPrometheus"])("what %s needs keeps the house rules", async (kind) => {
  const { resources } = await run({ kind });
  const broken = resources.flatMap(({ type, name, inputs }) =>
    houseRules
      .filter(({ level }) => level === "mandatory")
      .flatMap(({ violations }) =>
        violations({ type, props: inputs }).map((violation) => `${name}: ${violation}`),
      ),
  );
  expect(broken).toEqual([]);
});
