import { z } from "zod";

/** How the workloads' objects get into the cluster. */
export const delivery = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("push").describe("Pulumi applies them.") }),
]);

export type DeliveryConfig = z.output<typeof delivery>;
