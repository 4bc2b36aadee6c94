import { z } from "zod";
import { azureServer } from "./azureDatabase.ts";
import { generation, memory, secretString } from "./primitives.ts";
import { resources } from "./workloads.ts";

const inCluster = z.strictObject({
  kind: z.literal("inCluster").describe("A PostgreSQL server in the stack's namespace, with one volume."),
  image: z
    .string()
    .regex(/^[^@\s]+@sha256:[0-9a-f]{64}$/, "must be an image by digest: name@sha256:…")
    .optional()
    .describe(
      "Image with the contract of the public image `postgres`. Default: the embedded environment's own, else postgres 17.6.",
    ),
  storage: memory
    .default("1Gi")
    .describe("Size of the volume. It can grow where its class allows, and never shrinks."),
  storageClass: z
    .string()
    .min(1, "must not be empty")
    .optional()
    .describe("Class of the volume. Default: the cluster's default class."),
  resources: resources
    .prefault({ requests: { cpu: "50m", memory: "128Mi" }, limits: { memory: "512Mi" } })
    .describe("CPU and memory of the server."),
  keepVolume: z
    .boolean()
    .default(true)
    .describe("Whether the volume, and the namespace that it is in, outlive the stack. Default: true."),
  credentials: generation,
});

const external = z.strictObject({
  kind: z.literal("external").describe("A database that is there already."),
  url: secretString.describe(
    "Its URL, postgres://user:password@host:5432/name: pulumi config set --secret --path slipway:database.url",
  ),
});

/** Where the workloads that have a database keep it. */
export const database = z.discriminatedUnion("kind", [inCluster, azureServer, external]);

export type DatabaseConfig = z.output<typeof database>;
export type InClusterDatabase = Extract<DatabaseConfig, { kind: "inCluster" }>;
