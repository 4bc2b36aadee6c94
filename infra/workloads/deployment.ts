import type { types } from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { configMapName } from "./configMap.ts";
import type { HttpCheck } from "./definition.ts";
import { labels, metadata, selectorLabels } from "./labels.ts";
import type { Release } from "./release.ts";
import { vaultMountPath } from "./secretProviderClass.ts";

/**
 * Seconds that a pod keeps serving after it was told to end: endpoints are removed from the Service at the same
 * time as the signal is sent, and connections arrive until every node has noticed.
 */
const preStopSeconds = 3;
const defaultDrainSeconds = 20;

function httpGet({ path, port }: HttpCheck) {
  return { httpGet: { path, port } };
}

function fromSecret(secretName: pulumi.Input<string>, variables: object) {
  return Object.keys(variables).map((name) => ({
    name,
    valueFrom: { secretKeyRef: { name: secretName, key: name } },
  }));
}

function env(release: Release) {
  const { secretName, secretEnv, vault } = release;
  return [
    { name: "BUILD_NUMBER", value: release.image.version },
    { name: "POD_NAME", valueFrom: { fieldRef: { apiVersion: "v1", fieldPath: "metadata.name" } } },
    ...Object.entries(release.env).map(([name, value]) => ({ name, value })),
    ...(secretName === undefined ? [] : fromSecret(secretName, secretEnv)),
    ...(vault === undefined ? [] : fromSecret(vault.name, vault.env)),
  ];
}

function volumes(release: Release) {
  const { config, writablePaths = [] } = release.workload;
  return [
    ...(config === undefined
      ? []
      : [
          {
            volume: { name: "config", configMap: { name: configMapName(release) } },
            mount: { name: "config", mountPath: config.mountPath, readOnly: true },
          },
        ]),
    ...(release.vault === undefined
      ? []
      : [
          {
            volume: {
              name: "vault",
              csi: {
                driver: "secrets-store.csi.k8s.io",
                readOnly: true,
                volumeAttributes: { secretProviderClass: release.vault.name },
              },
            },
            mount: { name: "vault", mountPath: vaultMountPath, readOnly: true },
          },
        ]),
    ...writablePaths.map((mountPath, index) => ({
      volume: { name: `writable-${index}`, emptyDir: {} },
      mount: { name: `writable-${index}`, mountPath },
    })),
  ];
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
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ["ALL"] },
      readOnlyRootFilesystem: !(workload.exemptions?.writableRootFilesystem ?? false),
    },
    ...(mounts.length > 0 ? { volumeMounts: mounts } : {}),
  };
}

/** The workload's pods: replaced one by one, each only when its successor serves; restricted; spread over nodes. */
export function deployment(release: Release) {
  const { workload } = release;
  const mounted = volumes(release).map(({ volume }) => volume);
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: metadata(release),
    spec: {
      // An autoscaler's number must not be set back by the next run.
      ...(release.autoscaling === undefined ? { replicas: release.replicas } : {}),
      revisionHistoryLimit: 5,
      progressDeadlineSeconds: release.rolloutDeadlineSeconds,
      selector: { matchLabels: selectorLabels(release) },
      strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
      template: {
        metadata: { labels: labels(release) },
        spec: {
          serviceAccountName: release.name,
          automountServiceAccountToken: workload.exemptions?.serviceAccountToken ?? false,
          enableServiceLinks: false,
          ...(release.pullSecret === undefined ? {} : { imagePullSecrets: [{ name: release.pullSecret }] }),
          securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
          terminationGracePeriodSeconds: preStopSeconds + (workload.drainSeconds ?? defaultDrainSeconds),
          topologySpreadConstraints: ["kubernetes.io/hostname", "topology.kubernetes.io/zone"].map(
            (topologyKey) => ({
              maxSkew: 1,
              topologyKey,
              whenUnsatisfiable: "ScheduleAnyway",
              labelSelector: { matchLabels: selectorLabels(release) },
              // Counts only the pods of one revision, so that a rollout is spread as evenly as what it replaces.
              matchLabelKeys: ["pod-template-hash"],
            }),
          ),
          containers: [container(release)],
          ...(mounted.length > 0 ? { volumes: mounted } : {}),
        },
      },
    },
  } satisfies types.input.apps.v1.Deployment;
}
