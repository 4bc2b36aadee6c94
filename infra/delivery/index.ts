import * as pulumi from "@pulumi/pulumi";
import type { AppliedWorkload } from "../cluster/release.ts";
import type { PushConfig } from "../config/delivery.ts";
import type { Exposure } from "../config/exposure.ts";
import type { Released } from "../gitops/release.ts";
import { TakeOver } from "../gitops/takeOver.ts";
import { serviceUrl } from "./addresses.ts";
import { PushedWorkload } from "./push.ts";
import { Rollouts } from "./rollouts.ts";
import { type Shipment, shippedObjects } from "./shipment.ts";

export interface Delivery {
  /** URL of each workload. */
  readonly urls: { readonly [workload: string]: pulumi.Output<string> };
  /** What was committed where, by GitOps. */
  readonly release?: pulumi.Output<Released>;
}

/** Pulumi applies the workloads. Each takes the others' addresses as Outputs, so one run is enough. */
function push(shipment: Shipment, { handover, atomic }: PushConfig): Delivery {
  const { application, stack, platform, databases, rollouts } = shipment;
  const { provider, kubeconfig } = platform.cluster;
  const takeOver = handover
    ? new TakeOver("take-over", { kubeconfig, namespace: stack.config.namespace })
    : undefined;
  const names = Object.keys(application);
  const promises = new Map(names.map((name) => [name, pulumi.deferredOutput<string>()]));
  const urls = Object.fromEntries([...promises].map(([name, [url]]) => [name, url]));
  const workloads: pulumi.Output<AppliedWorkload>[] = [];
  for (const [name, [, resolve]] of promises) {
    const objects = shippedObjects(shipment, name, urls);
    const workload = new PushedWorkload(
      name,
      { objects, after: [...databases.ready, ...rollouts], handover: takeOver },
      { provider },
    );
    workloads.push(workload.pods);
    resolve(serviceUrl(workload.service, stack.config.exposure[name] as Exposure, platform.cluster));
  }
  new Rollouts("rollouts", { kubeconfig, workloads: pulumi.all(workloads), atomic });
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
