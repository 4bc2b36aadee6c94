import { z } from "zod";
import { absolutePath } from "./primitives.ts";

const seconds = z
  .int("must be a whole number of seconds")
  .min(1, "must be 1 or more")
  .max(86_400, "must be 86400 or less");

const measuring = {
  intervalSeconds: seconds.default(5).describe("Seconds from one measurement to the next. Default: 5."),
  count: z
    .int("must be a whole number")
    .min(1, "must be 1 or more")
    .max(1000, "must be 1000 or less")
    .default(3)
    .describe("How many measurements. Default: 3."),
  failureLimit: z
    .int("must be a whole number")
    .min(0, "must be 0 or more")
    .max(1000, "must be 1000 or less")
    .default(0)
    .describe("How many of them may fail. Default: 0."),
};

const webAnalysis = z.strictObject({
  kind: z.literal("web").describe("A request to the new pods, whose answer must be 2xx."),
  path: absolutePath.describe("Path of the request."),
  jsonPath: z
    .string()
    .regex(/^\{\$.*\}$/, "must be a JSONPath in braces, such as {$.errors}")
    .optional()
    .describe("The value that `success` is asked of, where the answer is JSON."),
  success: z
    .string()
    .min(1, "must not be empty")
    .optional()
    .describe("Expression that must be true, such as `result < 0.05`."),
  ...measuring,
});

const jobAnalysis = z.strictObject({
  kind: z.literal("job").describe("A command of the new image, with the new pods' URL in PROBE_URL."),
  command: z.array(z.string()).min(1, "must name a program").describe("It must end with 0."),
  ...measuring,
});

const analysis = z
  .discriminatedUnion("kind", [webAnalysis, jobAnalysis])
  .describe("What the new pods must pass. One that fails puts the old ones back.");

const step = z.union(
  [
    z.strictObject({
      weight: z
        .int("must be a whole number")
        .min(1, "must be a percentage from 1 to 100")
        .max(100, "must be a percentage from 1 to 100")
        .describe("Percentage of the pods that are new."),
    }),
    z.strictObject({
      pause: z
        .union([seconds, z.literal("promotion")])
        .describe("Seconds to wait, or `promotion`: until somebody promotes it."),
    }),
    z.strictObject({ analysis: z.literal(true).describe("Run the analysis, and wait for what it finds.") }),
  ],
  'must be one of { weight: 25 }, { pause: 30 }, { pause: "promotion" }, { analysis: true }',
);

/** How new pods take the place of old ones. */
export const strategy = z
  .discriminatedUnion("kind", [
    z.strictObject({
      kind: z.literal("rolling").describe("One after the other, each when its successor serves."),
    }),
    z.strictObject({
      kind: z.literal("canary").describe("A part of them first, step by step, by Argo Rollouts."),
      steps: z.array(step).min(1, "must have a step"),
      analysis: analysis.optional(),
    }),
    z.strictObject({
      kind: z
        .literal("blueGreen")
        .describe("All of them beside the old ones, then at once, by Argo Rollouts."),
      autoPromote: z
        .boolean()
        .default(true)
        .describe("Go over to the new pods when they are ready and have passed the analysis. Default: true."),
      keepOldSeconds: seconds.default(30).describe("How long the old pods are kept after that. Default: 30."),
      analysis: analysis.optional(),
    }),
  ])
  .superRefine((chosen, context) => {
    if (chosen.kind !== "canary") return;
    const asked = chosen.steps.findIndex((one) => "analysis" in one);
    const first = chosen.steps.findIndex((one) => "weight" in one);
    if (asked >= 0 && chosen.analysis === undefined)
      context.addIssue({
        code: "custom",
        path: ["steps", asked, "analysis"],
        message: "asks for an analysis, and the strategy has none",
        params: { hint: "Give the strategy an analysis, or remove the step" },
      });
    if (asked < 0 && chosen.analysis !== undefined)
      context.addIssue({
        code: "custom",
        path: ["analysis"],
        message: "is asked for by no step",
        params: { hint: "Add the step { analysis: true } after a weight" },
      });
    if (asked >= 0 && (first < 0 || first > asked))
      context.addIssue({
        code: "custom",
        path: ["steps", asked, "analysis"],
        message: "comes before any pod is new",
        params: { hint: "Put a weight before it" },
      });
  });

export type Strategy = z.output<typeof strategy>;
export type StrategyInput = z.input<typeof strategy>;
export type Analysis = z.output<typeof analysis>;
/** Strategies that Argo Rollouts carries out. */
export type ProgressiveStrategy = Exclude<Strategy, { kind: "rolling" }>;

/** The newest release when this was written. */
export const defaultRolloutsVersion = "v1.10.2";

export const rolloutsInstall = z.strictObject({
  version: z
    .string()
    .regex(/^v\d+\.\d+\.\d+$/, "must be a release of Argo Rollouts, such as v1.10.2")
    .optional()
    .describe(
      `Release whose manifests are installed. Default: ${defaultRolloutsVersion}; the embedded environment has its own.`,
    ),
  manifests: z
    .string()
    .min(1, "must not be empty")
    .optional()
    .describe(
      "File with the release's manifests (install.yaml), relative to the project's root, for machines that do not reach its URL.",
    ),
  image: z.string().min(1, "must not be empty").optional().describe("In the place of the release's image."),
});

/** Argo Rollouts, where a workload's strategy needs it. */
export const rollouts = z.strictObject({
  install: rolloutsInstall
    .nullable()
    .optional()
    .describe(
      "How this stack installs it. null: it is in the cluster already. Default: installed where a workload's strategy needs it, but not on another stack's platform.",
    ),
});

export type RolloutsInstall = z.output<typeof rolloutsInstall>;
