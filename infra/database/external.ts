import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { DatabaseConfig } from "../config/database.ts";
import type { Stack } from "../config/load.ts";
import type { Platform } from "../platform/index.ts";
import type { StackNamespace } from "../platform/namespace.ts";
import { databaseAccess } from "../workloads/database.ts";
import { stackLabels } from "../workloads/labels.ts";
import type { Databases } from "./index.ts";

export interface ProvidedArgs {
  /** Names of the workloads that have a database. */
  readonly workloads: readonly string[];
  readonly stack: Stack;
  readonly platform: Platform;
  readonly namespace: StackNamespace;
}

/** A database that is there already: its URL, for each workload. */
export function externalDatabase(
  config: Extract<DatabaseConfig, { kind: "external" }>,
  { workloads, stack: { project, name: stack }, platform, namespace }: ProvidedArgs,
): Databases {
  const ready = workloads.map((workload) => {
    const { secretName } = databaseAccess(workload, config, { project, stack });
    return new kubernetes.core.v1.Secret(
      `${workload}-database`,
      {
        metadata: {
          name: secretName,
          namespace: namespace.namespace,
          labels: stackLabels({ project, stack }),
        },
        immutable: true,
        data: pulumi.secret({ DATABASE_URL: Buffer.from(config.url).toString("base64") }),
      },
      { provider: platform.cluster.provider },
    );
  });
  return { ready };
}
