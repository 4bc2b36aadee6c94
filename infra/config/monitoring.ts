import { z } from "zod";

/** What watches the cluster. Each costs by what it takes in. */
export const monitoring = z
  .discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("none").describe("Nothing but what Kubernetes keeps itself.") }),
    z.strictObject({
      kind: z
        .literal("containerInsights")
        .describe("Logs of all containers, and inventory, in a Log Analytics workspace."),
      retentionDays: z
        .int("must be a whole number")
        .min(30, "must be from 30 to 730")
        .max(730, "must be from 30 to 730")
        .default(30)
        .describe("Days for which logs are kept."),
    }),
    z.strictObject({
      kind: z
        .literal("managedPrometheus")
        .describe("Metrics of the cluster and of pods that offer them, in an Azure Monitor workspace."),
    }),
  ])
  .default({ kind: "none" });

export type Monitoring = z.output<typeof monitoring>;
