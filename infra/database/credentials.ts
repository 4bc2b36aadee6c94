import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { AzureDatabase } from "../config/azureDatabase.ts";
import type { InClusterDatabase } from "../config/database.ts";
import type { Stack } from "../config/load.ts";
import type { StackNamespace } from "../platform/namespace.ts";
import { adminSecretName, databaseAccess, serverPort } from "../workloads/database.ts";
import { keepOnDestroy, stackLabels } from "../workloads/labels.ts";
import { derivePassword, keySecretName, scramVerifier } from "./key.ts";

interface SecretArgs {
  readonly stack: Stack;
  readonly namespace: StackNamespace;
  readonly parent: pulumi.Resource;
}

function metadata({ stack: { project, name: stack }, namespace }: SecretArgs, name: string) {
  return { name, namespace: namespace.namespace, labels: stackLabels({ project, stack }) };
}

function base64(values: { readonly [name: string]: string }): { [name: string]: string } {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, Buffer.from(value).toString("base64")]),
  );
}

/** The same for the same user, so that a Secret stays the same. */
function saltOf(key: string, user: string): Buffer {
  return Buffer.from(derivePassword(key, `salt of ${user}`), "base64url").subarray(0, 16);
}

/**
 * Keeps the key that a server's passwords are derived from in the cluster. Secret.
 *
 * @param given what it is at first: Pulumi's state knows it from then on
 * @param keep whether it outlives the stack
 */
export function keptKey(name: string, given: string, keep: boolean, args: SecretArgs): pulumi.Output<string> {
  const secret = new kubernetes.core.v1.Secret(
    `${name}-key`,
    {
      metadata: {
        ...metadata(args, keySecretName),
        ...(keep ? { annotations: keepOnDestroy } : {}),
      },
      data: pulumi.secret({ key: given }),
    },
    { parent: args.parent, ignoreChanges: ["data"], retainOnDelete: keep },
  );
  return pulumi.secret(secret.data.apply(({ key }) => key as string));
}

export interface CredentialsArgs extends SecretArgs {
  readonly key: pulumi.Output<string>;
  readonly host: pulumi.Input<string>;
  /** User that makes the databases and users, its password, and what else libpq is to know of the connection. */
  readonly admin: {
    readonly user: string;
    readonly password: (key: string) => string;
    readonly options?: { readonly [variable: string]: string };
  };
  /** `sslmode` of the workloads' URLs. */
  readonly sslmode: "disable" | "verify-full";
  readonly config: AzureDatabase | InClusterDatabase;
  /** Names of the workloads that have a database. */
  readonly workloads: readonly string[];
}

/** The Secret with which the server is administered, and for each workload one with its URL and the URL's parts. */
export function credentials(name: string, args: CredentialsArgs): kubernetes.core.v1.Secret[] {
  const { stack, key, host, admin, sslmode, config, workloads, parent } = args;
  const owner = { project: stack.project, stack: stack.name };
  const generation = config.credentials;
  const known = pulumi.all([key, host]);
  const secret = (
    end: string,
    objectName: string,
    values: (key: string, host: string) => { readonly [name: string]: string },
  ) =>
    new kubernetes.core.v1.Secret(
      `${name}-${end}`,
      {
        metadata: metadata(args, objectName),
        data: pulumi.secret(known.apply(([secretKey, address]) => base64(values(secretKey, address)))),
      },
      { parent },
    );
  return [
    secret("admin", adminSecretName, (secretKey, address) => ({
      PGHOST: address,
      PGPORT: String(serverPort),
      PGUSER: admin.user,
      PGPASSWORD: admin.password(secretKey),
      PGDATABASE: "postgres",
      PGCONNECT_TIMEOUT: "10",
      ...admin.options,
    })),
    ...workloads.map((workload) => {
      const { secretName } = databaseAccess(workload, config, owner);
      const user = `${workload}_${generation}`;
      return secret(`${workload}-${generation}`, secretName, (secretKey, address) => {
        const password = derivePassword(secretKey, user);
        return {
          DATABASE_URL: `postgres://${user}:${password}@${address}:${serverPort}/${workload}?sslmode=${sslmode}`,
          DATABASE_NAME: workload,
          DATABASE_USER: user,
          DATABASE_PASSWORD_VERIFIER: scramVerifier(password, saltOf(secretKey, user)),
        };
      });
    }),
  ];
}
