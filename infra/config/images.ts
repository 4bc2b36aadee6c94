import { z } from "zod";
import { imageReference, imageRepository, stackName } from "./primitives.ts";

const build = z.strictObject({
  source: z.literal("build"),
  repository: imageRepository
    .optional()
    .describe("Path before the workload's name in the registry. Default: the project's name."),
  baseImage: imageReference
    .optional()
    .describe(
      "Value of the Dockerfiles' BASE_IMAGE. Default: the embedded environment's own base image, else the Dockerfiles' default.",
    ),
  platform: z
    .string()
    .regex(/^[a-z0-9]+\/[a-z0-9]+(\/[a-z0-9]+)?$/, "must be os/architecture, such as linux/amd64")
    .optional()
    .describe("Platform to build for. Default: that of the cluster's nodes."),
});

const promote = z.strictObject({
  source: z.literal("promote"),
  stack: stackName.describe("The stack whose proven digests this one runs, as organization/project/stack."),
});

/** Where the images come from: built from app/, or the digests that another stack runs. */
export const images = z.discriminatedUnion("source", [build, promote]);

export type ImagesConfig = z.output<typeof images>;
