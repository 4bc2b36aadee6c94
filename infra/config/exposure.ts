import { z } from "zod";
import { cidr, nodePort, port } from "./primitives.ts";

/** How a workload's Service is reached. */
export const exposure = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("ClusterIP").describe("From inside the cluster only.") }),
  z.strictObject({
    type: z.literal("NodePort").describe("At a port of every node."),
    nodePort: nodePort.optional().describe("Default: one that the cluster picks."),
  }),
  z.strictObject({
    type: z.literal("LoadBalancer").describe("At an address of its own, which the cloud gives."),
    port: port.default(80).describe("Port of the load balancer."),
    internal: z.boolean().default(false).describe("An address inside the virtual network only."),
    allowedSources: z
      .array(cidr)
      .min(1, "must name at least one CIDR")
      .optional()
      .describe("Who may connect. Default: everyone."),
  }),
]);

export type Exposure = z.output<typeof exposure>;
