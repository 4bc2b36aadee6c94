import { join } from "node:path";
import { digestOf } from "../files.ts";
import type { Settings } from "../settings.ts";
import { gitDirectory, gitUid } from "./keys.ts";

/** Name and namespace of the Git server in the cluster. */
export const gitServer = { name: "git-server", namespace: "slipway-git" } as const;

const port = 2222;
const labels = { "app.kubernetes.io/name": gitServer.name };

/** Where the cluster's pods find the Git server. */
export const gitServerHost = `${gitServer.name}.${gitServer.namespace}.svc`;
export const gitServerPort = port;

/** The Git server in the cluster: its data is a directory of this machine. */
export function gitServerObjects(settings: Settings, image: string) {
  const volume = (name: string, directory: string) => ({
    name,
    hostPath: { path: join(gitDirectory(settings), directory), type: "Directory" },
  });
  return [
    { apiVersion: "v1", kind: "Namespace", metadata: { name: gitServer.namespace, labels } },
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { ...gitServer, labels },
      spec: {
        replicas: 1,
        // Two of them must not write to one directory.
        strategy: { type: "Recreate" },
        selector: { matchLabels: labels },
        template: {
          metadata: { labels, annotations: { "slipway.dev/settings": digestOf(settings.stateDir, image) } },
          spec: {
            automountServiceAccountToken: false,
            enableServiceLinks: false,
            terminationGracePeriodSeconds: 1,
            securityContext: { runAsNonRoot: true, runAsUser: gitUid, runAsGroup: gitUid },
            containers: [
              {
                name: gitServer.name,
                image,
                imagePullPolicy: "Never",
                command: ["/bin/sh", "/etc/git-server/start.sh"],
                ports: [{ name: "ssh", containerPort: port }],
                readinessProbe: { tcpSocket: { port: "ssh" }, periodSeconds: 2 },
                resources: { requests: { cpu: "10m", memory: "16Mi" }, limits: { memory: "256Mi" } },
                securityContext: {
                  allowPrivilegeEscalation: false,
                  readOnlyRootFilesystem: true,
                  capabilities: { drop: ["ALL"] },
                },
                volumeMounts: [
                  { name: "server", mountPath: "/etc/git-server", readOnly: true },
                  { name: "repositories", mountPath: "/srv/git" },
                  { name: "tmp", mountPath: "/tmp" },
                ],
              },
            ],
            volumes: [
              volume("server", "server"),
              volume("repositories", "repositories"),
              { name: "tmp", emptyDir: {} },
            ],
          },
        },
      },
    },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { ...gitServer, labels },
      spec: {
        // The cluster picks a port outside the range that people pick theirs from.
        type: "NodePort",
        selector: labels,
        ports: [{ name: "ssh", port, targetPort: "ssh", protocol: "TCP" }],
      },
    },
  ];
}
