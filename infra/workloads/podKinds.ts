import { rolloutsApiVersion } from "./rollout.ts";

/** API version of each kind by which a workload has pods: a Deployment's own, or those that Argo Rollouts makes. */
export const podKinds: { readonly [kind: string]: string } = {
  Deployment: "apps/v1",
  Rollout: rolloutsApiVersion,
};
