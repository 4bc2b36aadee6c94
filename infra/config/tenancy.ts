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

export type Quota = z.output<typeof quota>;
