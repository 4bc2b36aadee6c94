import type { V1Deployment } from "@kubernetes/client-node";
import { revisionLabel } from "../workloads/newPodsService.ts";
import type { Cluster, KubeObject } from "./cluster.ts";
import { explainRollout } from "./explain.ts";

/** An AnalysisRun of Argo Rollouts, as far as it tells why it failed. */
interface AnalysisRun {
  readonly metadata: {
    readonly name: string;
    readonly creationTimestamp?: string | Date;
    readonly ownerReferences?: readonly { readonly name: string }[];
  };
  readonly status?: {
    readonly phase?: string;
    readonly metricResults?: readonly {
      readonly name: string;
      readonly phase?: string;
      readonly measurements?: readonly {
        readonly phase?: string;
        readonly value?: string;
        readonly message?: string;
      }[];
    }[];
  };
}

/** Why the last analysis of a Rollout's new pods failed, and what the pods that carried it out said; empty where none did. */
async function explainAnalysis(cluster: Cluster, rollout: KubeObject): Promise<string> {
  const { namespace = "default", name } = rollout.metadata;
  const { currentPodHash } =
    (rollout as { readonly status?: { readonly currentPodHash?: string } }).status ?? {};
  if (currentPodHash === undefined) return "";
  // Those of the revisions before tell why these have failed.
  const labels = { [revisionLabel]: currentPodHash };
  const all = await cluster.list("argoproj.io/v1alpha1", "AnalysisRun", labels, namespace);
  const runs = (all as unknown as AnalysisRun[])
    .filter(({ metadata }) => metadata.ownerReferences?.some((owner) => owner.name === name))
    .sort(
      (one, other) =>
        Number(new Date(other.metadata.creationTimestamp ?? 0)) -
        Number(new Date(one.metadata.creationTimestamp ?? 0)),
    );
  const [last] = runs;
  const { phase = "", metricResults = [] } = last?.status ?? {};
  if (last === undefined || !["Failed", "Error", "Inconclusive"].includes(phase)) return "";
  const results = metricResults.map(({ name: metric, phase: outcome, measurements = [] }) => {
    const { message, value } = measurements.at(-1) ?? {};
    return `  ${metric}: ${[outcome, message ?? value].filter(Boolean).join(": ")}`;
  });
  const pods = await explainRollout(cluster, namespace, name, {
    "app.kubernetes.io/name": `${name}-analysis`,
  });
  return [`AnalysisRun ${last.metadata.name}: ${phase}`, ...results, ...(pods === "" ? [] : [pods])].join(
    "\n",
  );
}

/** Why a workload's new pods are not what they should be: their analysis, where that has failed, else the pods themselves. */
export async function explainWorkload(cluster: Cluster, workload: KubeObject): Promise<string> {
  const { namespace = "default", name } = workload.metadata;
  const analysis = workload.kind === "Rollout" ? await explainAnalysis(cluster, workload) : "";
  if (analysis !== "") return analysis;
  const selector = (workload as unknown as V1Deployment).spec?.selector.matchLabels ?? {};
  return explainRollout(cluster, namespace, name, selector);
}
