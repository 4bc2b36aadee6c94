import * as pulumi from "@pulumi/pulumi";
import type { PushConfig } from "../config/delivery.ts";
import type { Exposure } from "../config/exposure.ts";
import type { Stack } from "../config/load.ts";
import type { Databases } from "../database/index.ts";
import type { Released } from "../gitops/release.ts";
import { TakeOver } from "../gitops/takeOver.ts";
import type { Images } from "../images/index.ts";
import type { Platform } from "../platform/index.ts";
import type { StackNamespace } from "../platform/namespace.ts";
import { buildWorkload } from "../workloads/build.ts";
import type { Application } from "../workloads/definition.ts";
import { type RunnableImage, releaseOf } from "../workloads/release.ts";
import { serviceUrl } from "./addresses.ts";
import { PushedWorkload } from "./push.ts";

export interface Delivery {
  /** URL of each workload. */
  readonly urls: { readonly [workload: string]: pulumi.Output<string> };
  /** What was committed where, by GitOps. */
  readonly release?: pulumi.Output<Released>;
}

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
}

/** Pulumi applies the workloads. Each takes the others' addresses as Outputs, so one run is enough. */
function push(
  { application, stack, platform, namespace, images, secretNames, databases }: Shipment,
  { handover }: PushConfig,
): Delivery {
  const { provider, kubeconfig } = platform.cluster;
  const takeOver = handover
    ? new TakeOver("take-over", { kubeconfig, namespace: stack.config.namespace })
    : undefined;
  const names = Object.keys(application);
  const promises = new Map(names.map((name) => [name, pulumi.deferredOutput<string>()]));
  const urls = Object.fromEntries([...promises].map(([name, [url]]) => [name, url]));
  const surroundings = {
    project: stack.project,
    stack: stack.name,
    namespace: namespace.namespace,
    ...(namespace.pullSecret === undefined ? {} : { pullSecret: namespace.pullSecret }),
    addresses: urls,
    secretNames,
    ...(platform.databaseImage === undefined ? {} : { databaseImage: platform.databaseImage }),
    ...(platform.vaultAccess === undefined ? {} : { vaultAccess: platform.vaultAccess }),
  };
  for (const [name, [, resolve]] of promises) {
    const objects = buildWorkload(
      releaseOf(application, name, stack.config, images[name] as RunnableImage, surroundings),
    );
    const workload = new PushedWorkload(
      name,
      { objects, after: databases.ready, handover: takeOver },
      { provider },
    );
    resolve(serviceUrl(workload.service, stack.config.exposure[name] as Exposure, platform.cluster));
  }
  return { urls };
}

/** Gets the workloads into the cluster, in the way that the stack's configuration says; none before it has images. */
export async function deliver(shipment: Shipment): Promise<Delivery> {
  if (Object.keys(shipment.images).length === 0) return { urls: {} };
  const config = shipment.stack.config.delivery;
  switch (config.kind) {
    case "push":
      return push(shipment, config);
    case "gitops": {
      const { gitops } = await import("./gitops.ts");
      return gitops(shipment, config);
    }
  }
}
