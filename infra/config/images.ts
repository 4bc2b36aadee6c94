import { z } from "zod";
import { buildNumber, digestReference, imageReference, imageRepository, stackName } from "./primitives.ts";

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

/** One build of the application: what each workload runs, by digest. */
export const release = z.strictObject({
  build: buildNumber.describe("The build's number, as CI counts them."),
  commit: z
    .string()
    .regex(/^[0-9a-f]{40,64}$/, "must be a commit's full hash")
    .optional()
    .describe("Commit that it was built from."),
  workloads: z
    .record(
      z.string(),
      z.strictObject({
        reference: digestReference,
        version: buildNumber.describe("Build number of this image."),
      }),
    )
    .describe("Image of each workload. None at all: only the platform and the namespace are brought up."),
  by: z.string().optional().describe("Who had it deployed."),
  forced: z.string().optional().describe("Why it was deployed against the rules."),
});

const digests = z.strictObject({
  source: z.literal("digests"),
  repository: imageRepository
    .optional()
    .describe("Path before the workload's name in the registry. Default: the project's name."),
  release: release
    .optional()
    .describe(
      "The build to run, which ci:deploy, promote and rollback hand over. Default: the one that the stack runs.",
    ),
});

/** Where the images come from: built from app/, the digests that another stack runs, or those of a build handed over. */
export const images = z.discriminatedUnion("source", [build, promote, digests]);

export type ImagesConfig = z.output<typeof images>;
export type Release = z.output<typeof release>;
