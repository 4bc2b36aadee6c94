import { z } from "zod";
import { checkAzureDatabase } from "./azureDatabase.ts";
import { database } from "./database.ts";
import { checkDelivery, delivery } from "./delivery.ts";
import { environmentOf, productionProblems } from "./environment.ts";
import { exposure } from "./exposure.ts";
import { checkExposure } from "./exposureRules.ts";
import { images } from "./images.ts";
import { checkPrometheus, observability } from "./observability.ts";
import { namespace, platform } from "./platform.ts";
import { checkReferences, referencesOf, secrets } from "./secrets.ts";
import { rollouts } from "./strategy.ts";
import { deployers, ephemeral, expires, quota } from "./tenancy.ts";
import { workloadOverride } from "./workloads.ts";

// A configuration is parsed once: to compile a parser for it first takes several times as long, with many workloads.
z.config({ jitless: true });

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

/** What a stack says of a workload that it does not name: parsed once, however many there are. */
const unchanged = workloadOverride.parse({});

/** The schema of a stack's configuration: the keys are those of Pulumi.<stack>.yaml without their `slipway:`. */
export function stackSchema({ stack, workloads }: StackContext) {
  return z
    .strictObject({
      platform: platform.describe("What the stack runs on."),
      namespace: namespace.default(stack).describe("Kubernetes namespace. Default: the stack's name."),
      quota: quota.optional().describe("Limits of the namespace, for stacks that share a cluster."),
      ephemeral: ephemeral
        .prefault({})
        .describe("The stacks that `npm run ephemeral` makes on this one's platform."),
      expires: expires
        .optional()
        .describe("When `npm run ephemeral -- gc` may destroy this stack; written by `npm run ephemeral`."),
      deployers: deployers
        .default([])
        .describe("Groups that may deploy to the namespace: Entra ID object ids on AKS."),
      images: images.default({ source: "build" }).describe("Where the images come from."),
      workloads: perWorkload(workloads, workloadOverride.default(unchanged)).describe(
        "What this stack changes in the workloads' definitions.",
      ),
      exposure: perWorkload(workloads, exposure.default({ type: "ClusterIP" })).describe(
        "How each workload is reached. Default: ClusterIP.",
      ),
      delivery: delivery
        .default({ kind: "push", handover: false, atomic: false })
        .describe("How the workloads' objects get into the cluster."),
      observability: observability
        .prefault({})
        .describe("How what runs is watched. Default: metrics are served, and nobody collects them."),
      rollouts: rollouts.prefault({}).describe("Argo Rollouts, which canary and blue-green releases need."),
      database: database
        .prefault({ kind: "inCluster" })
        .describe("Where the workloads that have a database keep it. Default: a server in the cluster."),
      secrets: perWorkload(workloads, secrets).describe(
        "Secret environment variables: pulumi config set --secret --path slipway:secrets.WORKLOAD.NAME, or where in a Key Vault they are.",
      ),
    })
    .superRefine(({ platform, images: { source } }, context) => {
      if (platform.kind !== "azure" || source !== "promote") return;
      context.addIssue({
        code: "custom",
        path: ["images", "source"],
        input: source,
        message:
          "takes images from another stack's registry, which this platform's cluster may not pull from",
        params: { hint: "Use digests, and npm run promote, which copies them to this stack's registry" },
      });
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
      checkExposure(config.platform, config.exposure, context);
      checkReferences(config.platform, referencesOf(config), context);
      checkDelivery(config.platform, config.delivery, context);
      checkPrometheus(config.platform, config.observability, context);
      if (config.database.kind === "azure") checkAzureDatabase(config.platform, config.database, context);
    });
}

/** A stack's configuration, checked, with every default filled in. */
export type StackConfig = z.output<ReturnType<typeof stackSchema>>;
