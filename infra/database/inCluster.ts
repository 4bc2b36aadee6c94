import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { InClusterDatabase } from "../config/database.ts";
import { InputError } from "../config/error.ts";
import { compareQuantities } from "../config/primitives.ts";
import type { Cluster } from "../platform/platform.ts";
import {
  adminSecretName,
  databaseAccess,
  serverImage,
  serverName,
  serverPort,
} from "../workloads/database.ts";
import { keepOnDestroy, selectorLabels, stackLabels } from "../workloads/labels.ts";
import { migrationName } from "../workloads/migrationJob.ts";
import type { ProvidedArgs } from "./external.ts";
import type { Databases } from "./index.ts";
import { databaseKey, derivePassword, keySecretName } from "./key.ts";
import { statefulSet } from "./statefulSet.ts";

const claimName = "database-data";

/** A volume that is there cannot become smaller. Found out before anything is changed, where the cluster can be asked. */
async function requireNoShrinking(
  { read }: Cluster,
  namespace: string,
  { storage }: InClusterDatabase,
): Promise<void> {
  const claim = (await read?.("v1", "PersistentVolumeClaim", namespace, claimName)) as
    | { readonly spec: { readonly resources: { readonly requests: { readonly storage: string } } } }
    | undefined;
  const current = claim?.spec.resources.requests.storage;
  if (current === undefined || compareQuantities(storage, current) >= 0) return;
  throw new InputError({
    key: "slipway:database.storage",
    value: storage,
    rule: `must not be less than the ${current} that the volume has`,
    hint: `Set it to ${current} or more: a volume cannot shrink`,
  });
}

/** A PostgreSQL server in the stack's namespace, and for each workload a user of the current generation with its URL. */
export async function inClusterDatabase(
  config: InClusterDatabase,
  { workloads, stack, platform, namespace, keep }: ProvidedArgs & { readonly keep: boolean },
): Promise<Databases> {
  await requireNoShrinking(platform.cluster, stack.config.namespace, config);
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

function base64(values: { readonly [name: string]: string }): { [name: string]: string } {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, Buffer.from(value).toString("base64")]),
  );
}

/** The server: key and credentials, volume, network policy, StatefulSet and Service. */
class DatabaseServer extends pulumi.ComponentResource {
  readonly ready: readonly pulumi.Resource[];

  constructor(name: string, args: DatabaseServerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("slipway:database:DatabaseServer", name, {}, opts);
    const { workloads, stack, platform, namespace, config, keep } = args;
    const { project, name: stackName } = stack;
    const labels = { ...stackLabels({ project, stack: stackName }) };
    const own = { ...labels, ...selectorLabels({ name: serverName, stack: stackName }) };
    const host = pulumi.interpolate`${serverName}.${namespace.namespace}.svc`;
    const metadata = (objectName: string) => ({ name: objectName, namespace: namespace.namespace, labels });
    const kept = keep ? { annotations: keepOnDestroy } : {};

    const keySecret = new kubernetes.core.v1.Secret(
      `${name}-key`,
      {
        metadata: { ...metadata(keySecretName), ...kept },
        data: pulumi.secret({ key: args.key }),
      },
      { parent: this, ignoreChanges: ["data"], retainOnDelete: keep },
    );
    const key = pulumi.secret(keySecret.data.apply(({ key: current }) => current as string));

    const admin = new kubernetes.core.v1.Secret(
      `${name}-admin`,
      {
        metadata: metadata(adminSecretName),
        data: pulumi.secret(
          pulumi.all([key, host]).apply(([known, address]) =>
            base64({
              PGHOST: address,
              PGPORT: String(serverPort),
              PGUSER: "postgres",
              PGPASSWORD: derivePassword(known, "admin"),
              PGDATABASE: "postgres",
              PGCONNECT_TIMEOUT: "10",
            }),
          ),
        ),
      },
      { parent: this },
    );
    const credentials = workloads.map((workload) => {
      const access = databaseAccess(workload, config, { project, stack: stackName });
      const user = `${workload}_${config.credentials}`;
      return new kubernetes.core.v1.Secret(
        `${name}-${workload}-${config.credentials}`,
        {
          metadata: metadata(access.secretName),
          data: pulumi.secret(
            pulumi.all([key, host]).apply(([known, address]) => {
              const password = derivePassword(known, user);
              const url = `postgres://${user}:${password}@${address}:${serverPort}/${workload}?sslmode=disable`;
              return base64({
                DATABASE_URL: url,
                DATABASE_NAME: workload,
                DATABASE_USER: user,
                DATABASE_PASSWORD: password,
              });
            }),
          ),
        },
        { parent: this },
      );
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
      { parent: this, dependsOn: [admin, claim, policy] },
    );
    this.ready = [server, ...credentials];
    this.registerOutputs({});
  }
}
