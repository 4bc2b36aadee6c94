import { analysisTemplate } from "./analysisTemplate.ts";
import { configMap } from "./configMap.ts";
import { deployment } from "./deployment.ts";
import { horizontalPodAutoscaler } from "./horizontalPodAutoscaler.ts";
import { ingress } from "./ingress.ts";
import { migrationJob } from "./migrationJob.ts";
import { networkPolicy } from "./networkPolicy.ts";
import { newPodsService } from "./newPodsService.ts";
import { podDisruptionBudget } from "./podDisruptionBudget.ts";
import type { Release } from "./release.ts";
import { rollout } from "./rollout.ts";
import { secret } from "./secret.ts";
import { secretProviderClasses } from "./secretProviderClass.ts";
import { service } from "./service.ts";
import { serviceAccount } from "./serviceAccount.ts";

/** The builders, in the order in which their objects are applied: what a Deployment needs comes before it. */
const builders = [
  serviceAccount,
  configMap,
  secret,
  secretProviderClasses,
  networkPolicy,
  service,
  newPodsService,
  ingress,
  podDisruptionBudget,
  migrationJob,
  analysisTemplate,
  deployment,
  rollout,
  horizontalPodAutoscaler,
] as const;

/** A Kubernetes object of a workload, as typed by the builder of its kind. */
export type WorkloadObject =
  | Exclude<ReturnType<(typeof builders)[number]>, undefined | readonly unknown[]>
  | ReturnType<typeof secretProviderClasses>[number];

/** All Kubernetes objects of a workload, in the order of application. Pure: the same release gives the same objects. */
export function buildWorkload(release: Release): WorkloadObject[] {
  return builders
    .flatMap((build): readonly (WorkloadObject | undefined)[] | WorkloadObject | undefined => build(release))
    .filter((object) => object !== undefined);
}

/** For each object the end of a name that tells it from those of its kind before it: none, `-2`, `-3`. */
export function ordinalEnds(objects: readonly { readonly kind: string }[]): string[] {
  const seen = new Map<string, number>();
  return objects.map(({ kind }) => {
    const count = (seen.get(kind) ?? 0) + 1;
    seen.set(kind, count);
    return count === 1 ? "" : `-${count}`;
  });
}
