import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { stackLabels } from "../workloads/labels.ts";

export interface ChartInstallationArgs {
  readonly project: string;
  readonly stack: string;
  /** Namespace of its own, made here. */
  readonly namespace: string;
  /** Pod Security that the namespace enforces. */
  readonly podSecurity: "restricted" | "baseline" | "privileged";
  /** Name in the repository, or the path of a chart on this machine. */
  readonly chart: string;
  readonly version: string;
  readonly repository: string;
  /** Values that this program needs, and those that the stack sets over them. */
  readonly own: { readonly [key: string]: unknown };
  readonly values: { readonly [key: string]: unknown };
}

type Values = { readonly [key: string]: unknown };

function isMap(value: unknown): value is Values {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The values of a chart as Helm merges them: maps by key, anything else is replaced. */
export function mergeValues(base: Values, over: Values): Values {
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over))
    merged[key] = isMap(value) && isMap(base[key]) ? mergeValues(base[key], value) : value;
  return merged;
}

/** Software for the cluster that comes as a Helm chart, installed by Helm in a namespace of its own. */
export class ChartInstallation extends pulumi.ComponentResource {
  constructor(name: string, args: ChartInstallationArgs, opts?: pulumi.ComponentResourceOptions) {
    super("slipway:observability:ChartInstallation", name, {}, opts);
    const { project, stack, podSecurity, chart, version, repository, own, values } = args;
    const namespace = new kubernetes.core.v1.Namespace(
      `${name}-namespace`,
      {
        metadata: {
          name: args.namespace,
          labels: {
            ...stackLabels({ project, stack }),
            "pod-security.kubernetes.io/enforce": podSecurity,
          },
        },
      },
      { parent: this },
    );
    const isPath = /^[./]/.test(chart);
    new kubernetes.helm.v3.Release(
      `${name}-release`,
      {
        name,
        chart,
        ...(isPath ? {} : { version, repositoryOpts: { repo: repository } }),
        namespace: namespace.metadata.name,
        values: mergeValues(own, values),
        // A failed installation or upgrade leaves what was there before.
        atomic: true,
        timeout: 600,
      },
      { parent: this },
    );
    this.registerOutputs({ namespace: namespace.metadata.name });
  }
}
