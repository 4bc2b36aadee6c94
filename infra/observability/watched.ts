import type { StackConfig } from "../config/stack.ts";
import type { Application, Workload } from "../workloads/definition.ts";
import { selectorLabels, stackLabels } from "../workloads/labels.ts";

/** A workload that is watched: what the builders of monitors, rules and dashboards take. */
export interface Watched {
  readonly name: string;
  readonly namespace: string;
  readonly metrics: NonNullable<Workload["metrics"]>;
  readonly autoscaled: boolean;
  readonly labels: { readonly [label: string]: string };
  readonly selector: { readonly [label: string]: string };
}

/** The workloads that have metrics. */
export function watchedWorkloads(
  application: Application,
  project: string,
  stack: string,
  config: StackConfig,
): Watched[] {
  return Object.entries(application).flatMap(([name, { metrics }]) =>
    metrics === undefined
      ? []
      : [
          {
            name,
            namespace: config.namespace,
            metrics,
            autoscaled: config.workloads[name]?.autoscaling !== undefined,
            labels: { ...stackLabels({ project, stack }), ...selectorLabels({ name, stack }) },
            selector: selectorLabels({ name, stack }),
          },
        ],
  );
}
