import { z } from "zod";
import { compareQuantities, cpu, environmentName, memory } from "./primitives.ts";
import { strategy } from "./strategy.ts";

const amounts = z.strictObject({ cpu: cpu.optional(), memory: memory.optional() });

/** CPU and memory of one container. A limit under its request is refused, as the API server would, but earlier. */
export const resources = z
  .strictObject({
    requests: amounts.optional().describe("What the scheduler sets aside for each pod."),
    limits: amounts.optional().describe("What a pod may use at most."),
  })
  .superRefine(({ requests, limits }, context) => {
    for (const name of ["cpu", "memory"] as const) {
      const request = requests?.[name];
      const limit = limits?.[name];
      if (request !== undefined && limit !== undefined && compareQuantities(limit, request) < 0) {
        context.addIssue({
          code: "custom",
          path: ["limits", name],
          input: limit,
          message: `must not be less than requests.${name} (${request})`,
          params: { hint: "Raise the limit or lower the request" },
        });
      }
    }
  });

/** Number of pods. */
export const replicas = z
  .int("must be a whole number")
  .min(0, "must be 0 or more")
  .max(1000, "must be 1000 or less");

const autoscaling = z
  .strictObject({
    minReplicas: z.int("must be a whole number").min(1, "must be 1 or more"),
    maxReplicas: z
      .int("must be a whole number")
      .min(1, "must be 1 or more")
      .max(1000, "must be 1000 or less"),
    targetCPUUtilization: z
      .int("must be a whole number")
      .min(1, "must be a percentage from 1 to 100")
      .max(100, "must be a percentage from 1 to 100")
      .default(70)
      .describe("Average CPU use to aim for, in percent of the request."),
  })
  .superRefine(({ minReplicas, maxReplicas }, context) => {
    if (maxReplicas < minReplicas) {
      context.addIssue({
        code: "custom",
        path: ["maxReplicas"],
        input: maxReplicas,
        message: `must not be less than minReplicas (${minReplicas})`,
      });
    }
  });

/** What a stack may change in a workload's definition. */
export const workloadOverride = z
  .strictObject({
    replicas: replicas.optional().describe("Number of pods."),
    autoscaling: autoscaling.optional().describe("Let a HorizontalPodAutoscaler own the number of pods."),
    resources: resources.optional(),
    env: z
      .record(environmentName, z.string("must be a string: quote numbers and booleans"))
      .default({})
      .describe("Environment variables, over those of the definition."),
    rolloutDeadlineSeconds: z
      .int("must be a whole number")
      .min(10, "must be 10 or more")
      .max(3600, "must be 3600 or less")
      .default(120)
      .describe("Seconds without progress after which a rollout has failed."),
    strategy: strategy
      .optional()
      .describe("How new pods take the place of old ones, in the place of the definition's strategy."),
  })
  .superRefine((override, context) => {
    if (override.replicas !== undefined && override.autoscaling !== undefined) {
      context.addIssue({
        code: "custom",
        path: ["replicas"],
        input: override.replicas,
        message: "cannot be set together with autoscaling",
        params: { hint: "Remove one: the autoscaler owns the number of pods" },
      });
    }
  });

export type WorkloadOverride = z.output<typeof workloadOverride>;
export type Resources = z.output<typeof resources>;
