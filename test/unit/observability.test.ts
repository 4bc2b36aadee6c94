import "../support/offline.ts";
import { describe, expect, test } from "vitest";
import { type RawConfig, stackConfig } from "../../local/deliver/project.ts";
import { runProgram } from "../support/program.ts";

interface Inputs {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string; readonly labels: object };
  readonly spec: Record<string, never>;
  readonly data: Record<string, string>;
}

/** What a stack registers with this observability, on top of what it registers without. */
async function observed(observability: object, stack = "local", config = stackConfig(stack)) {
  const { resources } = await runProgram(stack, { ...config, "slipway:observability": observability });
  const objects = resources.filter(({ type }) => type.startsWith("kubernetes:"));
  return {
    resources,
    of: (kind: string) =>
      objects
        .map(({ inputs }) => inputs as unknown as Inputs)
        .filter((inputs) => inputs.kind === kind)
        .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1)),
  };
}

const release = "kubernetes:helm.sh/v3:Release";

test("a stack that says nothing of it is watched by nobody", async () => {
  const { resources, of } = await observed({});
  expect(of("ServiceMonitor")).toEqual([]);
  expect(resources.filter(({ type }) => type === release)).toEqual([]);
});

describe("with a Prometheus in the cluster", () => {
  const existing = () => observed({ prometheus: { kind: "existing", namespace: "watchers" } });

  test("each workload with metrics is scraped where they are, by its Service's labels", async () => {
    const { of } = await existing();
    const monitors = of("ServiceMonitor");
    expect(monitors.map(({ metadata }) => metadata.name)).toEqual(["api", "frontend"]);
    const services = of("Service");
    for (const { metadata, spec } of monitors) {
      expect(spec).toMatchObject({ endpoints: [{ port: "http", path: "/metrics" }] });
      const { matchLabels } = (spec as unknown as { selector: { matchLabels: object } }).selector;
      const service = services.find(({ metadata: { name } }) => name === metadata.name);
      expect(service?.metadata.labels).toMatchObject(matchLabels);
    }
  });

  test("its namespace, and no other, reaches the port of the metrics", async () => {
    const { of } = await existing();
    const [api] = of("NetworkPolicy");
    expect((api as unknown as { spec: { ingress: unknown[] } }).spec.ingress).toContainEqual({
      from: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "watchers" } } }],
      ports: [{ protocol: "TCP", port: 8080 }],
    });
  });

  test("each has a dashboard that Grafana finds, of valid JSON with queries of its own pods only", async () => {
    const { of } = await existing();
    const boards = of("ConfigMap").filter(({ metadata }) => metadata.name.endsWith("-dashboard"));
    expect(boards).toHaveLength(2);
    for (const { metadata, data } of boards) {
      expect(metadata.labels).toMatchObject({ grafana_dashboard: "1" });
      const { panels } = JSON.parse(Object.values(data)[0] as string) as {
        panels: { targets: { expr: string }[] }[];
      };
      expect(panels.length).toBeGreaterThanOrEqual(6);
      for (const { expr } of panels.flatMap(({ targets }) => targets))
        expect(expr).toContain('namespace="local"');
    }
  });

  test("each has alerts on what it serves, errors, latency, memory and restarts", async () => {
    const { of } = await existing();
    const [api] = of("PrometheusRule");
    const { groups } = (api as unknown as { spec: { groups: { rules: { alert: string }[] }[] } }).spec;
    expect(groups.flatMap(({ rules }) => rules.map(({ alert }) => alert))).toEqual([
      "WorkloadDown",
      "WorkloadErrors",
      "WorkloadSlow",
      "WorkloadMemoryNearLimit",
      "WorkloadRestarts",
    ]);
  });

  test("a workload that an autoscaler scales has an alert for its end", async () => {
    const { of } = await observed({ prometheus: { kind: "existing" } }, "prod");
    expect(JSON.stringify(of("PrometheusRule"))).toContain("WorkloadAtMaximum");
  });
});

/** The dev stack, watched by Azure in this way. */
function devWith(monitoring: string): RawConfig {
  const config = stackConfig("dev");
  const platform = config["slipway:platform"] as { readonly cluster: object };
  const cluster = { ...platform.cluster, monitoring: { kind: monitoring } };
  return { ...config, "slipway:platform": { ...platform, cluster } };
}

test("Azure's Prometheus is told what to scrape by Azure's own kind, and gets no rules or dashboards", async () => {
  const { of } = await observed({ prometheus: { kind: "azure" } }, "dev", devWith("managedPrometheus"));
  expect(of("ServiceMonitor").map(({ apiVersion }) => apiVersion)).toEqual([
    "azmonitoring.coreos.com/v1",
    "azmonitoring.coreos.com/v1",
  ]);
  expect(of("PrometheusRule")).toEqual([]);
});

test("Azure's Prometheus is refused on a local platform", async () => {
  await expect(observed({ prometheus: { kind: "azure" } })).rejects.toThrow(
    'slipway:observability.prometheus.kind = "azure": is Azure\'s, and this platform is local. Use install or existing.',
  );
});

test.each(["none", "containerInsights"])(
  "Azure's Prometheus is refused on a cluster that it does not watch: %s",
  async (kind) => {
    await expect(observed({ prometheus: { kind: "azure" } }, "dev", devWith(kind))).rejects.toThrow(
      `slipway:observability.prometheus.kind = "azure": needs Azure's Prometheus in the cluster, and slipway:platform.cluster.monitoring.kind is ${kind}. Set slipway:platform.cluster.monitoring.kind to managedPrometheus, or use install or existing.`,
    );
  },
);

test("kube-prometheus-stack is installed pinned, finds every stack's monitors, and the stack's values win", async () => {
  const { resources } = await observed({
    prometheus: { kind: "install", values: { prometheus: { prometheusSpec: { retention: "1d" } } } },
  });
  const [chart] = resources.filter(({ type }) => type === release);
  expect(chart?.inputs).toMatchObject({
    chart: "kube-prometheus-stack",
    version: expect.stringMatching(/^\d+\.\d+\.\d+$/),
    atomic: true,
    values: {
      prometheus: { prometheusSpec: { serviceMonitorSelectorNilUsesHelmValues: false, retention: "1d" } },
    },
  });
});

test("Headlamp is installed without rights of its own, in a restricted namespace", async () => {
  const { resources, of } = await observed({ headlamp: {} });
  const [chart] = resources.filter(({ type }) => type === release);
  expect(chart?.inputs).toMatchObject({
    chart: "headlamp",
    values: { clusterRoleBinding: { create: false } },
  });
  expect(of("Namespace")[0]?.metadata).toMatchObject({
    name: "headlamp",
    labels: { "pod-security.kubernetes.io/enforce": "restricted" },
  });
});

test("a chart of this machine is taken by its path, without a repository", async () => {
  const { resources } = await observed({ prometheus: { kind: "install", chart: "./charts/prometheus" } });
  const [chart] = resources.filter(({ type }) => type === release);
  expect(chart?.inputs).toMatchObject({ chart: "./charts/prometheus" });
  expect(chart?.inputs).not.toHaveProperty("repositoryOpts");
});

test.each([
  [
    { prometheus: { kind: "install", version: "latest" } },
    'prometheus.version = "latest": must be a chart\'s version',
  ],
  [
    { prometheus: { kind: "grafana" } },
    'prometheus.kind = "grafana": must be "install" or "existing" or "azure"',
  ],
  [
    { headlamp: { repository: "charts" } },
    'headlamp.repository = "charts": must be the URL of a chart repository',
  ],
])("bad input is refused: %j", async (observability, message) => {
  await expect(observed(observability)).rejects.toThrow(`slipway:observability.${message}`);
});
