import { z } from "zod";
import { cpu, memory } from "./primitives.ts";

/** What all pods of the stack's namespace may take together. */
export const quota = z.strictObject({
  cpu: cpu.describe("Sum of the pods' CPU requests."),
  memory: memory.describe("Sum of the pods' memory limits."),
  pods: z.int("must be a whole number").min(1, "must be 1 or more").max(10_000, "must be 10000 or less"),
});

/** Entra ID groups, or groups of another identity provider, that may deploy to the stack's namespace and nowhere else. */
export const deployers = z.array(z.string().min(1, "must be a group's name or object id"));

/** What a stack that lives for a branch gets. It is configured in the stack on whose platform it runs. */
export const ephemeral = z.strictObject({
  days: z
    .number("must be a number")
    .positive("must be more than 0")
    .max(90, "must be 90 or less")
    .default(3)
    .describe("Days after its last deployment in which `npm run ephemeral -- gc` leaves it alone."),
  quota: quota.default({ cpu: "2", memory: "2Gi", pods: 10 }).describe("Limits of its namespace."),
});

/** A point in time in UTC, as 2026-11-22T07:00:00Z. */
export const expires = z.iso.datetime("must be a time in UTC such as 2026-11-22T07:00:00Z");

export type EphemeralConfig = z.output<typeof ephemeral>;
export type Quota = z.output<typeof quota>;
