import { z } from "zod";
import { vaultReference } from "./keyVault.ts";
import { cidr, nodePort, port } from "./primitives.ts";

/** First part of `<label>.<region>.cloudapp.azure.com`, the name that Azure gives to an address. */
const azureDnsLabel = z
  .string()
  .regex(
    /^[a-z][a-z0-9-]{1,61}[a-z0-9]$/,
    "must be 3 to 63 lower-case letters, digits and dashes, a letter first and no dash at the end",
  );

/** A host name of the internet's DNS, of at most 253 characters. */
const hostName = z
  .string()
  .max(253, "must be at most 253 characters")
  .regex(
    /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/,
    "must be a host name in lower case, such as shop.example.com",
  );

const loadBalancer = z
  .strictObject({
    type: z.literal("LoadBalancer").describe("At an address of its own, which the cloud gives."),
    port: port.default(80).describe("Port of the load balancer."),
    internal: z.boolean().default(false).describe("An address inside the virtual network only."),
    dnsLabel: azureDnsLabel
      .optional()
      .describe("On Azure: the address is LABEL.REGION.cloudapp.azure.com, known before it is there."),
    allowedSources: z
      .array(cidr)
      .min(1, "must name at least one CIDR")
      .optional()
      .describe("Who may connect. Default: everyone."),
  })
  .superRefine(({ internal, dnsLabel }, context) => {
    if (internal && dnsLabel !== undefined) {
      context.addIssue({
        code: "custom",
        path: ["dnsLabel"],
        input: dnsLabel,
        message: "cannot be set with internal: Azure names public addresses only",
        params: { hint: "Remove one of them" },
      });
    }
  });

/** How a workload's Service is reached. */
export const exposure = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("ClusterIP").describe("From inside the cluster only.") }),
  z.strictObject({
    type: z.literal("NodePort").describe("At a port of every node."),
    nodePort: nodePort.optional().describe("Default: one that the cluster picks."),
  }),
  loadBalancer,
  z.strictObject({
    type: z.literal("Ingress").describe("By HTTPS at a host name, through the application routing of AKS."),
    host: hostName.describe("Host name, of which a DNS record leads to the cluster."),
    tls: z.strictObject({
      keyVault: vaultReference.describe("The certificate, as vault/name."),
    }),
  }),
]);

export type Exposure = z.output<typeof exposure>;
