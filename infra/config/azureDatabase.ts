import { z } from "zod";
import { regionsWithoutZones } from "./azureRegion.ts";
import type { PlatformConfig } from "./platform.ts";
import { cidr, generation } from "./primitives.ts";

/** Sizes that Azure offers for a flexible server: burstable, general purpose, and memory optimized ones. */
const sku = z
  .string()
  .regex(
    /^Standard_(B(1ms|2s|2ms|4ms|8ms|12ms|16ms|20ms)|D(2|4|8|16|32|48|64|96)a?d?s_v[3-6]|E(2|4|8|16|20|32|48|64|96)a?d?s_v[3-6])$/,
    "must be a size of Azure Database for PostgreSQL, such as Standard_B1ms or Standard_D2ds_v5",
  );

/** An Azure Database for PostgreSQL flexible server. */
export const azureServer = z.strictObject({
  kind: z
    .literal("azure")
    .describe("An Azure Database for PostgreSQL flexible server of the stack's own, on platform azure."),
  version: z
    .enum(["14", "15", "16", "17", "18"])
    .default("17")
    .describe("Major version of PostgreSQL. Azure upgrades in place, and never back."),
  sku: sku
    .default("Standard_D2ds_v5")
    .describe("Size of the server. The B series is burstable, and has no high availability."),
  storageGb: z
    .literal([32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384])
    .default(32)
    .describe("Storage in GiB. It can grow, and never shrinks."),
  highAvailability: z
    .enum(["none", "sameZone", "zoneRedundant"])
    .default("none")
    .describe("Where a standby server is, which doubles the cost."),
  backupRetentionDays: z
    .int("must be a whole number")
    .min(7, "must be from 7 to 35")
    .max(35, "must be from 7 to 35")
    .default(7)
    .describe("Days back to which Azure can restore the server, to any second."),
  geoRedundantBackup: z
    .boolean()
    .default(false)
    .describe("Backups in the paired region too. Cannot be changed."),
  access: z
    .discriminatedUnion("kind", [
      z.strictObject({
        kind: z
          .literal("private")
          .describe("An address inside the stack's virtual network only: needs platform.network."),
      }),
      z.strictObject({
        kind: z
          .literal("firewall")
          .describe("A public address, open to the cluster's own address and those named here."),
        allowedIpRanges: z.array(cidr).default([]).describe("Who may connect besides the cluster."),
      }),
    ])
    .default({ kind: "private" })
    .describe("Who can reach the server. Default: private. Every connection is encrypted."),
  deletionProtection: z
    .boolean()
    .default(true)
    .describe("Whether Pulumi refuses to delete or replace the server, and so to destroy the stack."),
  image: z
    .string()
    .regex(/^[^@\s]+@sha256:[0-9a-f]{64}$/, "must be an image by digest: name@sha256:…")
    .optional()
    .describe("Image with psql, which makes databases and users on the server. Default: postgres 17.6."),
  credentials: generation,
});

export type AzureDatabase = z.output<typeof azureServer>;

/** Burstable: cheap, and slow once its credits are used up. */
export function isBurstableServer({ sku: size }: Pick<AzureDatabase, "sku">): boolean {
  return size.startsWith("Standard_B");
}

/** Refuses a server that the platform, or Azure, does not have. */
export function checkAzureDatabase(
  platform: PlatformConfig,
  database: AzureDatabase,
  context: z.RefinementCtx,
): void {
  const problem = (key: string, input: unknown, message: string, hint: string) =>
    context.addIssue({
      code: "custom",
      path: ["database", ...key.split(".")],
      input,
      message,
      params: { hint },
    });
  if (platform.kind !== "azure") {
    problem(
      "kind",
      "azure",
      `needs the platform azure, and this one is ${platform.kind}`,
      "Use inCluster, or external with the URL of a server that is there",
    );
    return;
  }
  const { access, highAvailability } = database;
  if (access.kind === "private" && platform.network === undefined)
    problem(
      "access.kind",
      "private",
      "needs a virtual network of the stack's own",
      "Set slipway:platform.network: {}, or access: {kind: firewall}",
    );
  if (highAvailability !== "none" && isBurstableServer(database))
    problem(
      "highAvailability",
      highAvailability,
      `is not offered for ${database.sku}, a burstable size`,
      "Use none, or a size of the D or E series",
    );
  if (highAvailability === "zoneRedundant" && regionsWithoutZones.includes(platform.location))
    problem(
      "highAvailability",
      highAvailability,
      `cannot be set: ${platform.location} has no availability zones`,
      "Use sameZone, or choose another location",
    );
}
