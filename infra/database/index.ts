import type * as pulumi from "@pulumi/pulumi";
import type { Stack } from "../config/load.ts";
import type { Platform } from "../platform/index.ts";
import type { StackNamespace } from "../platform/namespace.ts";
import { workloadsWithDatabase } from "../workloads/database.ts";
import type { Application } from "../workloads/definition.ts";

/** Where the application's workloads keep their data. */
export interface Databases {
  /** What must be there before a workload that has a database is released. */
  readonly ready: readonly pulumi.Resource[];
}

/** Whether the stack's namespace has a volume that outlives the stack. That of a stack which expires does not. */
export function keepsVolume(application: Application, { config: { database, expires } }: Stack): boolean {
  return (
    workloadsWithDatabase(application).length > 0 &&
    database.kind === "inCluster" &&
    database.keepVolume &&
    expires === undefined
  );
}

/** What is provided where: the results of the stages before. */
export interface DatabaseArgs {
  readonly application: Application;
  readonly stack: Stack;
  readonly platform: Platform;
  readonly namespace: StackNamespace;
}

/**
 * Provides the databases of the workloads that have one, and a Secret with the URL for each.
 *
 * @throws InputError when the cluster is known already and has what cannot be changed so
 */
export async function provideDatabases(args: DatabaseArgs): Promise<Databases> {
  const { application, stack, platform, namespace } = args;
  const workloads = workloadsWithDatabase(application);
  const { database } = stack.config;
  if (workloads.length === 0) return { ready: [] };
  switch (database.kind) {
    case "inCluster": {
      const { inClusterDatabase } = await import("./inCluster.ts");
      return inClusterDatabase(database, {
        workloads,
        stack,
        platform,
        namespace,
        keep: keepsVolume(application, stack),
      });
    }
    case "azure": {
      const { azureDatabase } = await import("./azure.ts");
      return azureDatabase(database, { workloads, stack, platform, namespace });
    }
    case "external": {
      const { externalDatabase } = await import("./external.ts");
      return externalDatabase(database, { workloads, stack, platform, namespace });
    }
  }
}
