import type { types } from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { Resources } from "../config/workloads.ts";
import { adminSecretName, serverName, serverPort } from "../workloads/database.ts";

export interface ServerPod {
  readonly namespace: pulumi.Input<string>;
  readonly labels: { readonly [label: string]: string };
  readonly selector: { readonly [label: string]: string };
  /** Image with the contract of the public image `postgres`. */
  readonly image: pulumi.Input<string>;
  readonly pullSecret: pulumi.Input<string> | undefined;
  readonly resources: Resources;
  /** Name of the claim that holds the data. */
  readonly claim: string;
}

/** Account of PostgreSQL in the public images. */
const uid = 999;

const ready = { exec: { command: ["pg_isready", "--quiet", "--host=127.0.0.1", "--username=postgres"] } };

/** One PostgreSQL server on one volume. */
export function statefulSet(pod: ServerPod): types.input.apps.v1.StatefulSet {
  const empty = { tmp: "/tmp", run: "/var/run/postgresql" };
  return {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: { name: serverName, namespace: pod.namespace, labels: pod.labels },
    spec: {
      replicas: 1,
      serviceName: serverName,
      selector: { matchLabels: pod.selector },
      template: {
        metadata: { labels: pod.labels },
        spec: {
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          ...(pod.pullSecret === undefined ? {} : { imagePullSecrets: [{ name: pod.pullSecret }] }),
          securityContext: {
            runAsNonRoot: true,
            runAsUser: uid,
            runAsGroup: uid,
            fsGroup: uid,
            fsGroupChangePolicy: "OnRootMismatch",
            seccompProfile: { type: "RuntimeDefault" },
          },
          // A shutdown writes everything to the volume; killed before, the next start has to replay the log.
          terminationGracePeriodSeconds: 60,
          containers: [
            {
              name: "postgres",
              image: pod.image,
              imagePullPolicy: "IfNotPresent",
              ports: [{ name: "postgres", containerPort: serverPort, protocol: "TCP" }],
              env: [
                // A directory of its own in the volume, whose root may have a lost+found.
                { name: "PGDATA", value: "/var/lib/postgresql/data/pgdata" },
                {
                  name: "POSTGRES_PASSWORD",
                  valueFrom: { secretKeyRef: { name: adminSecretName, key: "PGPASSWORD" } },
                },
              ],
              resources: pod.resources as types.input.core.v1.ResourceRequirements,
              // Recovery after a crash can take a while: it is the startup that is given time.
              startupProbe: { ...ready, periodSeconds: 1, failureThreshold: 300, timeoutSeconds: 5 },
              readinessProbe: { ...ready, periodSeconds: 5, failureThreshold: 2, timeoutSeconds: 5 },
              livenessProbe: { ...ready, periodSeconds: 10, failureThreshold: 6, timeoutSeconds: 5 },
              terminationMessagePolicy: "FallbackToLogsOnError",
              securityContext: {
                allowPrivilegeEscalation: false,
                capabilities: { drop: ["ALL"] },
                readOnlyRootFilesystem: true,
              },
              volumeMounts: [
                { name: "data", mountPath: "/var/lib/postgresql/data" },
                ...Object.entries(empty).map(([name, mountPath]) => ({ name, mountPath })),
              ],
            },
          ],
          volumes: [
            { name: "data", persistentVolumeClaim: { claimName: pod.claim } },
            ...Object.keys(empty).map((name) => ({ name, emptyDir: {} })),
          ],
        },
      },
    },
  };
}
