import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { InClusterDatabase } from "../config/database.ts";
import { serverImage, serverName, serverPort } from "../workloads/database.ts";
import { keepOnDestroy, selectorLabels, stackLabels } from "../workloads/labels.ts";
import { migrationName } from "../workloads/migrationJob.ts";
import { credentials, keptKey } from "./credentials.ts";
import type { ProvidedArgs } from "./external.ts";
import { types } from "./fixed.ts";
import type { Databases } from "./index.ts";
import { databaseKey, derivePassword } from "./key.ts";
import { statefulSet } from "./statefulSet.ts";
import { claimName } from "./volume.ts";

/** A PostgreSQL server in the stack's namespace, and for each workload a user of the current generation with its URL. */
export async function inClusterDatabase(
  config: InClusterDatabase,
  { workloads, stack, platform, namespace, keep }: ProvidedArgs & { readonly keep: boolean },
): Promise<Databases> {
  const key = await databaseKey(platform.cluster, stack.config.namespace);
  const server = new DatabaseServer(
    serverName,
    { workloads, stack, platform, namespace, config, keep, key },
    { provider: platform.cluster.provider },
  );
  return { ready: server.ready };
}

interface DatabaseServerArgs extends ProvidedArgs {
  readonly config: InClusterDatabase;
  /** Whether volume and key outlive the stack. */
  readonly keep: boolean;
  /** What the passwords are derived from, unless Pulumi's state knows another one. */
  readonly key: string;
}

/** The server: key and credentials, volume, network policy, StatefulSet and Service. */
class DatabaseServer extends pulumi.ComponentResource {
  readonly ready: readonly pulumi.Resource[];

  constructor(name: string, args: DatabaseServerArgs, opts?: pulumi.ComponentResourceOptions) {
    super(types.inCluster, name, {}, { ...opts, aliases: [{ type: types.azure }] });
    const { workloads, stack, platform, namespace, config, keep } = args;
    const { project, name: stackName } = stack;
    const labels = { ...stackLabels({ project, stack: stackName }) };
    const own = { ...labels, ...selectorLabels({ name: serverName, stack: stackName }) };
    const host = pulumi.interpolate`${serverName}.${namespace.namespace}.svc`;
    const metadata = (objectName: string) => ({ name: objectName, namespace: namespace.namespace, labels });
    const secrets = { stack, namespace, parent: this };
    const [admin, ...credentialsOfWorkloads] = credentials(name, {
      ...secrets,
      key: keptKey(name, args.key, keep, secrets),
      host,
      admin: { user: "postgres", password: (key) => derivePassword(key, "admin") },
      sslmode: "disable",
      config,
      workloads,
    });

    const claim = new kubernetes.core.v1.PersistentVolumeClaim(
      `${name}-volume`,
      {
        metadata: {
          ...metadata(claimName),
          // Many classes make the volume when its first pod is scheduled, which waits for this claim.
          annotations: { "pulumi.com/skipAwait": "true", ...(keep ? keepOnDestroy : {}) },
        },
        spec: {
          accessModes: ["ReadWriteOnce"],
          resources: { requests: { storage: config.storage } },
          ...(config.storageClass === undefined ? {} : { storageClassName: config.storageClass }),
        },
      },
      { parent: this, retainOnDelete: keep },
    );
    const clients = workloads.flatMap((workload) => [workload, migrationName({ name: workload })]);
    const policy = new kubernetes.networking.v1.NetworkPolicy(
      `${name}-network-policy`,
      {
        metadata: metadata(serverName),
        spec: {
          podSelector: { matchLabels: selectorLabels({ name: serverName, stack: stackName }) },
          policyTypes: ["Ingress", "Egress"],
          ingress: [
            {
              from: [
                {
                  podSelector: {
                    matchExpressions: [{ key: "app.kubernetes.io/name", operator: "In", values: clients }],
                  },
                },
              ],
              ports: [{ protocol: "TCP", port: serverPort }],
            },
          ],
        },
      },
      { parent: this },
    );
    new kubernetes.core.v1.Service(
      `${name}-service`,
      {
        metadata: { ...metadata(serverName), annotations: { "pulumi.com/skipAwait": "true" } },
        spec: {
          clusterIP: "None",
          selector: selectorLabels({ name: serverName, stack: stackName }),
          ports: [{ name: "postgres", port: serverPort, targetPort: "postgres", protocol: "TCP" }],
        },
      },
      { parent: this },
    );
    const server = new kubernetes.apps.v1.StatefulSet(
      `${name}-server`,
      statefulSet({
        namespace: namespace.namespace,
        labels: own,
        selector: selectorLabels({ name: serverName, stack: stackName }),
        image: serverImage(config, platform.databaseImage),
        pullSecret: namespace.pullSecret,
        resources: config.resources,
        claim: claimName,
      }),
      { parent: this, dependsOn: [admin as pulumi.Resource, claim, policy] },
    );
    this.ready = [server, ...credentialsOfWorkloads];
    this.registerOutputs({});
  }
}
