import type { types } from "@pulumi/kubernetes";
import type { Watched } from "./watched.ts";

interface Query {
  readonly expr: string;
  readonly legend: string;
}

/** Columns of Grafana's grid, and how a panel fills it. */
const [gridColumns, panelWidth, panelHeight] = [24, 8, 8];

/**
 * A workload's Grafana dashboard, as a ConfigMap that Grafana's sidecar finds by its label: requests, errors, latency,
 * processor, memory, pods, and which builds run.
 */
export function dashboard({ name, namespace, metrics, labels }: Watched) {
  const service = `namespace="${namespace}",service="${name}"`;
  const container = `namespace="${namespace}",container="${name}"`;
  const { requests } = metrics;
  const quantile = (share: number): Query => ({
    expr: `histogram_quantile(${share}, sum by (le) (rate(${requests}_bucket{${service}}[5m])))`,
    legend: `p${share * 100}`,
  });
  const panels: [title: string, unit: string, queries: Query[]][] = [
    ...(requests === undefined
      ? []
      : ([
          [
            "Requests by status",
            "reqps",
            [
              {
                expr: `sum by (status_code) (rate(${requests}_count{${service}}[5m]))`,
                legend: "{{status_code}}",
              },
            ],
          ],
          [
            "Errors",
            "percentunit",
            [
              {
                expr: `sum(rate(${requests}_count{${service},status_code=~"5.."}[5m])) / sum(rate(${requests}_count{${service}}[5m]))`,
                legend: "5xx",
              },
            ],
          ],
          ["Latency", "s", [quantile(0.5), quantile(0.95), quantile(0.99)]],
        ] satisfies [string, string, Query[]][])),
    [
      "Processor",
      "cores",
      [
        {
          expr: `sum by (pod) (rate(container_cpu_usage_seconds_total{${container}}[5m]))`,
          legend: "{{pod}}",
        },
      ],
    ],
    [
      "Memory",
      "bytes",
      [
        { expr: `max by (pod) (container_memory_working_set_bytes{${container}})`, legend: "{{pod}}" },
        {
          expr: `max(kube_pod_container_resource_limits{${container},resource="memory"})`,
          legend: "limit",
        },
      ],
    ],
    [
      "Pods",
      "short",
      [
        { expr: `sum(up{${service}})`, legend: "answering" },
        { expr: `sum by (build) (build_info{${service}})`, legend: "build {{build}}" },
      ],
    ],
  ];
  const perRow = gridColumns / panelWidth;
  const json = {
    uid: `${namespace}-${name}`.slice(0, 40),
    title: `${namespace} / ${name}`,
    tags: ["slipway", namespace],
    timezone: "browser",
    refresh: "30s",
    time: { from: "now-1h", to: "now" },
    schemaVersion: 39,
    panels: panels.map(([title, unit, queries], index) => ({
      id: index + 1,
      type: "timeseries",
      title,
      datasource: { type: "prometheus", uid: "prometheus" },
      gridPos: {
        x: (index % perRow) * panelWidth,
        y: Math.floor(index / perRow) * panelHeight,
        w: panelWidth,
        h: panelHeight,
      },
      fieldConfig: { defaults: { unit }, overrides: [] },
      targets: queries.map(({ expr, legend }, at) => ({
        refId: String.fromCharCode(65 + at),
        expr,
        legendFormat: legend,
      })),
    })),
  };
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: `${name}-dashboard`, namespace, labels: { ...labels, grafana_dashboard: "1" } },
    data: { [`${namespace}-${name}.json`]: `${JSON.stringify(json, null, 2)}\n` },
  } satisfies types.input.core.v1.ConfigMap;
}
