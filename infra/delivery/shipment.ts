import type * as pulumi from "@pulumi/pulumi";
import type { Stack } from "../config/load.ts";
import type { Controllers } from "../controllers.ts";
import type { Databases } from "../database/index.ts";
import type { Images } from "../images/index.ts";
import type { Platform } from "../platform/index.ts";
import type { StackNamespace } from "../platform/namespace.ts";
import { buildWorkload, type WorkloadObject } from "../workloads/build.ts";
import type { Addresses } from "../workloads/content.ts";
import type { Application } from "../workloads/definition.ts";
import { type RunnableImage, releaseOf } from "../workloads/release.ts";

/** What is delivered where: the results of the stages before. */
export interface Shipment {
  readonly application: Application;
  readonly stack: Stack;
  readonly platform: Platform;
  readonly namespace: StackNamespace;
  readonly images: Images;
  /** Names of the workloads' Secrets. */
  readonly secretNames: { readonly [workload: string]: string };
  readonly databases: Databases;
  /** What the stack installs besides. */
  readonly controllers: Controllers;
  /** Argo Rollouts, where this stack brings it. */
  readonly rollouts: readonly pulumi.Resource[];
}

/** The objects of a workload as Pulumi applies them: what is not known yet is an Output. */
export function shippedObjects(
  { application, stack, platform, namespace, images, secretNames }: Shipment,
  name: string,
  addresses: Addresses,
): WorkloadObject[] {
  const { databaseImage, vaultAccess } = platform;
  const surroundings = {
    project: stack.project,
    stack: stack.name,
    namespace: namespace.namespace,
    ...(namespace.pullSecret === undefined ? {} : { pullSecret: namespace.pullSecret }),
    addresses,
    secretNames,
    ...(databaseImage === undefined ? {} : { databaseImage }),
    ...(vaultAccess === undefined ? {} : { vaultAccess }),
  };
  return buildWorkload(
    releaseOf(application, name, stack.config, images[name] as RunnableImage, surroundings),
  );
}
