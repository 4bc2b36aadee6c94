import { z } from "zod";
import type { AzurePlatform } from "./azure.ts";
import { isBurstable } from "./vmSize.ts";

/** What a stack is for: production is held to stricter rules, and everything on Azure is tagged with it. */
export const environment = z.enum(["development", "production"]);

export type Environment = z.output<typeof environment>;

/** The environment of a stack that names none: production where the stack is called so. */
export function environmentOf(stack: string, given: Environment | undefined): Environment {
  return given ?? (/^prod(uction)?$/.test(stack) ? "production" : "development");
}

interface Problem {
  readonly path: readonly string[];
  readonly input: unknown;
  readonly message: string;
  readonly hint: string;
}

/** What a platform has that production must not. */
export function productionProblems({ cluster, registry }: AzurePlatform): Problem[] {
  const fewNodes = cluster.systemPool.count < 2;
  const burstable = isBurstable(cluster.systemPool.vmSize);
  return [
    ...(cluster.localAccounts
      ? [
          {
            path: ["cluster", "localAccounts"],
            input: true,
            message: "must be false in production: a certificate of the cluster's admin cannot be taken back",
            hint: "Remove it, and name cluster.adminGroups",
          },
        ]
      : []),
    ...(registry.pull.kind === "admin"
      ? [
          {
            path: ["registry", "pull", "kind"],
            input: "admin",
            message: "must not be used in production: whoever reads the pull secret may push",
            hint: "Use token or kubeletIdentity",
          },
        ]
      : []),
    ...(fewNodes
      ? [
          {
            path: ["cluster", "systemPool", "count"],
            input: cluster.systemPool.count,
            message: "must be 2 or more in production: an upgrade takes one node away",
            hint: "AKS recommends 3 over zones",
          },
        ]
      : []),
    ...(burstable
      ? [
          {
            path: ["cluster", "systemPool", "vmSize"],
            input: cluster.systemPool.vmSize,
            message:
              "must not be of the burstable B series in production: it is slow once its credits are used up",
            hint: "Use a size such as Standard_D2s_v5",
          },
        ]
      : []),
  ];
}
