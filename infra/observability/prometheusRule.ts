import type { Watched } from "./watched.ts";

interface AlertArgs {
  readonly expr: string;
  /** How long it must hold: `5m`. */
  readonly for: string;
  readonly severity: "critical" | "warning";
  readonly summary: string;
  readonly description: string;
}

/**
 * Alerts on the golden signals of a workload: it serves, without errors, fast enough, and has room to grow. Those on requests
 * need the name of the workload's histogram; those on containers come from the kubelet and kube-state-metrics.
 */
export function prometheusRule({ name, namespace, metrics, autoscaled, labels }: Watched) {
  const service = `namespace="${namespace}",service="${name}"`;
  const container = `namespace="${namespace}",container="${name}"`;
  const alert = (title: string, { expr, for: held, severity, summary, description }: AlertArgs) => ({
    alert: title,
    expr,
    for: held,
    labels: { severity, workload: name, namespace },
    annotations: { summary, description },
  });
  const { requests } = metrics;
  return {
    apiVersion: "monitoring.coreos.com/v1",
    kind: "PrometheusRule",
    metadata: { name, namespace, labels },
    spec: {
      groups: [
        {
          name: `${namespace}.${name}`,
          rules: [
            alert("WorkloadDown", {
              expr: `absent(up{${service}} == 1)`,
              for: "2m",
              severity: "critical",
              summary: `No pod of ${name} answers`,
              description: "Prometheus reached no pod behind the Service for two minutes.",
            }),
            ...(requests === undefined
              ? []
              : [
                  alert("WorkloadErrors", {
                    expr: `sum(rate(${requests}_count{${service},status_code=~"5.."}[5m])) / sum(rate(${requests}_count{${service}}[5m])) > 0.05`,
                    for: "5m",
                    severity: "critical",
                    summary: `${name} answers with errors`,
                    description:
                      "{{ $value | humanizePercentage }} of the requests of five minutes ended in 5xx.",
                  }),
                  alert("WorkloadSlow", {
                    expr: `histogram_quantile(0.99, sum by (le) (rate(${requests}_bucket{${service}}[5m]))) > 1`,
                    for: "10m",
                    severity: "warning",
                    summary: `${name} is slow`,
                    description: "One request in a hundred takes {{ $value | humanizeDuration }} or longer.",
                  }),
                ]),
            alert("WorkloadMemoryNearLimit", {
              expr: `max by (pod) (container_memory_working_set_bytes{${container}}) / max by (pod) (kube_pod_container_resource_limits{${container},resource="memory"}) > 0.9`,
              for: "10m",
              severity: "warning",
              summary: `${name} is near its memory limit`,
              description:
                "{{ $labels.pod }} uses {{ $value | humanizePercentage }} of its limit, beyond which it is killed.",
            }),
            alert("WorkloadRestarts", {
              expr: `max by (pod) (increase(kube_pod_container_status_restarts_total{${container}}[15m])) > 2`,
              for: "0m",
              severity: "warning",
              summary: `${name} restarts again and again`,
              description: "{{ $labels.pod }} was restarted {{ $value | humanize }} times within 15 minutes.",
            }),
            ...(autoscaled
              ? [
                  alert("WorkloadAtMaximum", {
                    expr: `kube_horizontalpodautoscaler_status_current_replicas{namespace="${namespace}",horizontalpodautoscaler="${name}"} >= kube_horizontalpodautoscaler_spec_max_replicas{namespace="${namespace}",horizontalpodautoscaler="${name}"}`,
                    for: "15m",
                    severity: "warning",
                    summary: `${name} cannot scale further`,
                    description: "The autoscaler has been at maxReplicas for 15 minutes.",
                  }),
                ]
              : []),
          ],
        },
      ],
    },
  };
}
