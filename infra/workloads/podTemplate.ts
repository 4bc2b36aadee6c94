import type { HttpCheck } from "./definition.ts";
import { labels, selectorLabels } from "./labels.ts";
import { containerSecurity, env, podIdentity, volumes } from "./pod.ts";
import type { Release } from "./release.ts";

/**
 * Seconds that a pod keeps serving after it was told to end: endpoints are removed from the Service at the same
 * time as the signal is sent, and connections arrive until every node has noticed.
 */
const preStopSeconds = 3;
const defaultDrainSeconds = 20;

function httpGet({ path, port }: HttpCheck) {
  return { httpGet: { path, port } };
}

function container(release: Release) {
  const { workload, name } = release;
  const mounts = volumes(release).map(({ mount }) => mount);
  return {
    name,
    image: release.image.reference,
    // The reference is a digest: what the node has under it is the same for ever.
    imagePullPolicy: "IfNotPresent",
    ports: Object.entries(workload.ports).map(([port, number]) => ({
      name: port,
      containerPort: number,
      protocol: "TCP",
    })),
    env: env(release),
    resources: release.resources,
    startupProbe: { ...httpGet(workload.readiness), periodSeconds: 1, failureThreshold: 60 },
    readinessProbe: { ...httpGet(workload.readiness), periodSeconds: 5, failureThreshold: 2 },
    livenessProbe: { ...httpGet(workload.liveness), periodSeconds: 10, failureThreshold: 3 },
    lifecycle: { preStop: { sleep: { seconds: preStopSeconds } } },
    // Why a container ended is then told wherever its state is, its last lines included.
    terminationMessagePolicy: "FallbackToLogsOnError",
    securityContext: containerSecurity(release),
    ...(mounts.length > 0 ? { volumeMounts: mounts } : {}),
  };
}

/**
 * The pods of a workload: restricted, spread over nodes.
 *
 * @param revisionLabel label that whoever makes them puts on the pods of one revision
 */
export function podTemplate(release: Release, revisionLabel: string) {
  const { workload } = release;
  const mounted = volumes(release).map(({ volume }) => volume);
  return {
    metadata: { labels: labels(release) },
    spec: {
      ...podIdentity(release),
      terminationGracePeriodSeconds: preStopSeconds + (workload.drainSeconds ?? defaultDrainSeconds),
      topologySpreadConstraints: ["kubernetes.io/hostname", "topology.kubernetes.io/zone"].map(
        (topologyKey) => ({
          maxSkew: 1,
          topologyKey,
          whenUnsatisfiable: "ScheduleAnyway",
          labelSelector: { matchLabels: selectorLabels(release) },
          // Counts only the pods of one revision, so that a rollout is spread as evenly as what it replaces.
          matchLabelKeys: [revisionLabel],
        }),
      ),
      containers: [container(release)],
      ...(mounted.length > 0 ? { volumes: mounted } : {}),
    },
  };
}

/** What a workload has of each revision of its pods, whoever replaces them. */
export function revisions(release: Release) {
  return {
    // An autoscaler's number must not be set back by the next run.
    ...(release.autoscaling === undefined ? { replicas: release.replicas } : {}),
    revisionHistoryLimit: 5,
    progressDeadlineSeconds: release.rolloutDeadlineSeconds,
    selector: { matchLabels: selectorLabels(release) },
  };
}
