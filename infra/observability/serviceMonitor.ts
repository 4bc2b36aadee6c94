import type { Watched } from "./watched.ts";

/** Seconds between two looks at a workload's metrics. */
const scrapeSeconds = 15;

/**
 * Tells Prometheus to scrape every pod behind a workload's Service.
 *
 * @param group API group of the kind: the Prometheus Operator's, or Azure Monitor's
 */
export function serviceMonitor({ name, namespace, metrics, labels, selector }: Watched, group: string) {
  return {
    apiVersion: `${group}/v1`,
    kind: "ServiceMonitor",
    metadata: { name, namespace, labels },
    spec: {
      selector: { matchLabels: selector },
      endpoints: [{ port: metrics.port, path: metrics.path, interval: `${scrapeSeconds}s` }],
    },
  };
}
