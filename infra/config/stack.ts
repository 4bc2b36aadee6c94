import { z } from "zod";
import { delivery } from "./delivery.ts";
import { environmentOf, productionProblems } from "./environment.ts";
import { type Exposure, exposure } from "./exposure.ts";
import { images } from "./images.ts";
import { namespace, type PlatformConfig, platform } from "./platform.ts";
import { checkReferences, referencesOf, secrets } from "./secrets.ts";
import { deployers, quota } from "./tenancy.ts";
import { workloadOverride } from "./workloads.ts";

/**
 * The namespace of the configuration's keys. Fixed rather than the project's name, so that the stack files keep
 * working in a project that `pulumi new` has named otherwise.
 */
export const configNamespace = "slipway";

/** What the schema must know of the program around it. */
export interface StackContext {
  /** Name of the stack: the default of `namespace`. */
  readonly stack: string;
  /** Names of the application's workloads: the only keys that the per-workload maps take. */
  readonly workloads: readonly string[];
}

/** A map with exactly the application's workloads as keys, so that an unknown name is an error. */
function perWorkload<T extends z.ZodType>(names: readonly string[], value: T) {
  return z.strictObject(Object.fromEntries(names.map((name) => [name, value]))).prefault({});
}

/** Why a platform cannot expose a workload so, if it cannot. */
function exposureProblem(
  platform: PlatformConfig,
  { type }: Exposure,
): { message: string; hint: string } | undefined {
  if (type === "NodePort" && platform.kind === "azure") {
    return {
      message: "has no address on this platform: its nodes cannot be reached from outside",
      hint: "Use LoadBalancer",
    };
  }
  if (type === "LoadBalancer" && platform.kind === "local" && platform.context === undefined) {
    return {
      message: "never gets an address here: the embedded environment has no load balancer",
      hint: "Use NodePort",
    };
  }
  return undefined;
}

/** The schema of a stack's configuration: the keys are those of Pulumi.<stack>.yaml without their `slipway:`. */
export function stackSchema({ stack, workloads }: StackContext) {
  return z
    .strictObject({
      platform: platform.describe("What the stack runs on."),
      namespace: namespace.default(stack).describe("Kubernetes namespace. Default: the stack's name."),
      quota: quota.optional().describe("Limits of the namespace, for stacks that share a cluster."),
      deployers: deployers
        .default([])
        .describe("Groups that may deploy to the namespace: Entra ID object ids on AKS."),
      images: images.default({ source: "build" }).describe("Where the images come from."),
      workloads: perWorkload(workloads, workloadOverride.prefault({})).describe(
        "What this stack changes in the workloads' definitions.",
      ),
      exposure: perWorkload(workloads, exposure.default({ type: "ClusterIP" })).describe(
        "How each workload is reached. Default: ClusterIP.",
      ),
      delivery: delivery
        .default({ kind: "push" })
        .describe("How the workloads' objects get into the cluster."),
      secrets: perWorkload(workloads, secrets).describe(
        "Secret environment variables: pulumi config set --secret --path slipway:secrets.WORKLOAD.NAME, or where in a Key Vault they are.",
      ),
    })
    .superRefine(({ platform }, context) => {
      if (platform.kind !== "azure" || environmentOf(stack, platform.environment) !== "production") return;
      for (const { path, input, message, hint } of productionProblems(platform))
        context.addIssue({
          code: "custom",
          path: ["platform", ...path],
          input,
          message,
          params: { hint },
        });
    })
    .superRefine((config, context) => {
      for (const [name, value] of Object.entries(config.exposure) as [string, Exposure][]) {
        const problem = exposureProblem(config.platform, value);
        if (problem === undefined) continue;
        const { message, hint } = problem;
        context.addIssue({
          code: "custom",
          path: ["exposure", name, "type"],
          input: value.type,
          message,
          params: { hint },
        });
      }
      checkReferences(config.platform, referencesOf(config), context);
      const owners = new Map<number, string>();
      for (const [name, value] of Object.entries(config.exposure) as [string, Exposure | undefined][]) {
        if (value?.type !== "NodePort" || value.nodePort === undefined) continue;
        const owner = owners.get(value.nodePort);
        if (owner !== undefined) {
          context.addIssue({
            code: "custom",
            path: ["exposure", name, "nodePort"],
            input: value.nodePort,
            message: `is used twice: exposure.${owner}.nodePort has it too`,
            params: { hint: "Give each workload a port of its own" },
          });
        }
        owners.set(value.nodePort, name);
      }
    });
}

/** A stack's configuration, checked, with every default filled in. */
export type StackConfig = z.output<ReturnType<typeof stackSchema>>;
