import { configMap } from "./configMap.ts";
import { deployment } from "./deployment.ts";
import { horizontalPodAutoscaler } from "./horizontalPodAutoscaler.ts";
import { ingress } from "./ingress.ts";
import { migrationJob } from "./migrationJob.ts";
import { networkPolicy } from "./networkPolicy.ts";
import { podDisruptionBudget } from "./podDisruptionBudget.ts";
import type { Release } from "./release.ts";
import { secret } from "./secret.ts";
import { secretProviderClass } from "./secretProviderClass.ts";
import { service } from "./service.ts";
import { serviceAccount } from "./serviceAccount.ts";

/** The builders, in the order in which their objects are applied: what a Deployment needs comes before it. */
const builders = [
  serviceAccount,
  configMap,
  secret,
  secretProviderClass,
  networkPolicy,
  service,
  ingress,
  podDisruptionBudget,
  migrationJob,
  deployment,
  horizontalPodAutoscaler,
] as const;

/** A Kubernetes object of a workload, as typed by the builder of its kind. */
export type WorkloadObject = NonNullable<ReturnType<(typeof builders)[number]>>;

/** All Kubernetes objects of a workload, in the order of application. Pure: the same release gives the same objects. */
export function buildWorkload(release: Release): WorkloadObject[] {
  return builders.map((build) => build(release)).filter((object) => object !== undefined);
}
