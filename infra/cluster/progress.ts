import type { V1Deployment, V1StatefulSet } from "@kubernetes/client-node";
import type { KubeObject } from "./cluster.ts";

/** How far a rollout is. */
export interface Progress {
  readonly done: boolean;
  readonly failed: boolean;
  /** Where it is, for people. */
  readonly summary: string;
  /** What it has broken where it has failed. */
  readonly rule: string;
}

const oldPodsServe = "the pods of the last good release keep serving";

/** What `kubectl rollout status` looks at. */
function deploymentProgress({ metadata, spec, status }: V1Deployment): Progress {
  const wanted = spec?.replicas ?? 1;
  const {
    observedGeneration = 0,
    replicas = 0,
    updatedReplicas = 0,
    availableReplicas = 0,
    conditions = [],
  } = status ?? {};
  const observed = observedGeneration >= (metadata?.generation ?? 0);
  const progressing = conditions.find(({ type }) => type === "Progressing");
  return {
    done:
      observed && updatedReplicas >= wanted && replicas === updatedReplicas && availableReplicas >= wanted,
    failed: observed && progressing?.reason === "ProgressDeadlineExceeded",
    summary: `${Math.min(updatedReplicas, availableReplicas)} of ${wanted} pods ready`,
    rule: `must make progress within ${spec?.progressDeadlineSeconds} s; ${oldPodsServe}`,
  };
}

/** Seconds in which a server with a volume must become ready; Kubernetes has no deadline of its own for it. */
const serverDeadlineSeconds = 120;

/** The same for a StatefulSet. @param waited seconds so far */
function serverProgress({ metadata, spec, status }: V1StatefulSet, waited: number): Progress {
  const wanted = spec?.replicas ?? 1;
  const {
    observedGeneration = 0,
    readyReplicas = 0,
    updatedReplicas = 0,
    currentRevision,
    updateRevision,
  } = status ?? {};
  const observed = observedGeneration >= (metadata?.generation ?? 0);
  return {
    done:
      observed &&
      readyReplicas >= wanted &&
      (updatedReplicas >= wanted || currentRevision === updateRevision),
    failed: waited > serverDeadlineSeconds,
    summary: `${readyReplicas} of ${wanted} pods ready`,
    rule: `must be ready within ${serverDeadlineSeconds} s`,
  };
}

/** A Rollout of Argo Rollouts, as far as its progress is concerned. */
interface ArgoRollout {
  readonly metadata: { readonly generation?: number };
  readonly spec: {
    readonly strategy: {
      readonly canary?: { readonly steps?: readonly { readonly pause?: { readonly duration?: string } }[] };
      readonly blueGreen?: { readonly autoPromotionEnabled?: boolean };
    };
  };
  readonly status?: {
    readonly observedGeneration?: string;
    readonly phase?: string;
    readonly message?: string;
    readonly currentStepIndex?: number;
    readonly pauseConditions?: readonly { readonly reason: string }[];
  };
}

/** Whether a Rollout stands still until somebody promotes it, as its steps say. */
export function awaitsPromotion(rollout: KubeObject): boolean {
  const { spec, status = {} } = rollout as unknown as ArgoRollout;
  const { canary, blueGreen } = spec.strategy;
  const paused = (reason: string) => status.pauseConditions?.some((condition) => condition.reason === reason);
  if (status.phase !== "Paused") return false;
  if (paused("BlueGreenPause")) return blueGreen?.autoPromotionEnabled === false;
  const step = canary?.steps?.[status.currentStepIndex ?? 0];
  return paused("CanaryPauseStep") === true && step?.pause !== undefined && step.pause.duration === undefined;
}

/** What Argo Rollouts says of a Rollout. One that awaits its promotion has got as far as it gets by itself. */
function rolloutProgress(rollout: KubeObject): Progress {
  const { metadata, spec, status = {} } = rollout as unknown as ArgoRollout;
  const { phase = "Progressing", message, currentStepIndex, pauseConditions = [] } = status;
  const observed = Number(status.observedGeneration ?? 0) >= (metadata.generation ?? 0);
  const steps = spec.strategy.canary?.steps?.length ?? 0;
  const step =
    currentStepIndex === undefined || phase === "Degraded" || steps === 0
      ? ""
      : ` at step ${Math.min(currentStepIndex + 1, steps)} of ${steps}`;
  const undecided = pauseConditions.some(({ reason }) => reason.startsWith("Inconclusive"));
  return {
    done: observed && (phase === "Healthy" || awaitsPromotion(rollout)),
    failed: observed && (phase === "Degraded" || undecided),
    summary: `${phase}${step}${message ? `: ${message}` : ""}`,
    rule: `must get through its strategy; ${oldPodsServe}`,
  };
}

/** How far the pods of a Deployment, StatefulSet or Rollout are. @param waited seconds so far */
export function progressOf(live: KubeObject, waited: number): Progress {
  switch (live.kind) {
    case "StatefulSet":
      return serverProgress(live as unknown as V1StatefulSet, waited);
    case "Rollout":
      return rolloutProgress(live);
    default:
      return deploymentProgress(live as unknown as V1Deployment);
  }
}
