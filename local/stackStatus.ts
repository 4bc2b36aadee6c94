import { readObject } from "./cluster.ts";
import type { Settings } from "./settings.ts";

/** A workload of a stack, as it runs. */
export interface WorkloadState {
  readonly name: string;
  /** Build number of what it is to run. */
  readonly build: string;
  readonly ready: number;
  readonly wanted: number;
  /** Degraded: its rollout has failed, and old pods may serve. */
  readonly health: "Healthy" | "Progressing" | "Paused" | "Degraded";
  /** Where this machine reaches it. */
  readonly url?: string;
}

/** A stack in the environment. */
export interface StackState {
  readonly name: string;
  readonly namespace: string;
  readonly workloads: readonly WorkloadState[];
}

interface PodOwner {
  readonly kind?: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly generation?: number;
    readonly labels?: { readonly [label: string]: string };
  };
  readonly spec: { readonly replicas?: number };
  readonly status?: {
    readonly observedGeneration?: number | string;
    readonly updatedReplicas?: number;
    readonly availableReplicas?: number;
    readonly phase?: string;
    readonly conditions?: readonly { readonly reason?: string }[];
  };
}

interface ServiceObject {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: { readonly ports?: readonly { readonly nodePort?: number }[] };
}

function healthOf({ metadata, spec, status = {} }: PodOwner): WorkloadState["health"] {
  const { phase, conditions = [], updatedReplicas = 0, availableReplicas = 0, observedGeneration } = status;
  if (phase === "Healthy" || phase === "Paused" || phase === "Degraded") return phase;
  if (conditions.some(({ reason }) => reason === "ProgressDeadlineExceeded")) return "Degraded";
  const wanted = spec.replicas ?? 1;
  const observed = Number(observedGeneration ?? 0) >= (metadata.generation ?? 0);
  return observed && updatedReplicas >= wanted && availableReplicas >= wanted ? "Healthy" : "Progressing";
}

/** The stacks in the environment, by name, with their workloads; none of what other programs have there. */
export async function stackStates(settings: Settings): Promise<StackState[]> {
  const own = "?labelSelector=app.kubernetes.io%2Fmanaged-by%3Dslipway";
  const list = async <T>(path: string): Promise<readonly T[]> => {
    // A cluster without Argo Rollouts knows no Rollouts.
    const found = await readObject(settings, `${path}${own}`).catch(() => undefined);
    return (found as { readonly items?: readonly T[] } | undefined)?.items ?? [];
  };
  const [deployments, rollouts, services] = await Promise.all([
    list<PodOwner>("/apis/apps/v1/deployments"),
    list<PodOwner>("/apis/argoproj.io/v1alpha1/rollouts"),
    list<ServiceObject>("/api/v1/services"),
  ]);
  const stacks = new Map<string, { namespace: string; workloads: WorkloadState[] }>();
  for (const owner of [...deployments, ...rollouts]) {
    const { name, namespace, labels = {} } = owner.metadata;
    const stack = labels["app.kubernetes.io/instance"] ?? namespace;
    const service = services.find(
      ({ metadata }) => metadata.name === name && metadata.namespace === namespace,
    );
    const port = service?.spec.ports?.[0]?.nodePort;
    const known = stacks.get(stack) ?? { namespace, workloads: [] };
    stacks.set(stack, known);
    known.workloads.push({
      name,
      build: labels["app.kubernetes.io/version"] ?? "",
      ready: owner.status?.availableReplicas ?? 0,
      wanted: owner.spec.replicas ?? 1,
      health: healthOf(owner),
      ...(port === undefined ? {} : { url: `http://127.0.0.1:${port}` }),
    });
  }
  const byName = (one: { readonly name: string }, other: { readonly name: string }) =>
    one.name < other.name ? -1 : 1;
  return [...stacks]
    .map(([name, { namespace, workloads }]) => ({ name, namespace, workloads: workloads.sort(byName) }))
    .sort(byName);
}
