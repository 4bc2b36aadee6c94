import { z } from "zod";
import { imageReference } from "./primitives.ts";

/** The newest supported release when this was written. */
export const defaultFluxVersion = "v2.9.5";

export const fluxInstall = z.strictObject({
  version: z
    .string()
    .regex(/^v\d+\.\d+\.\d+$/, "must be a release of Flux, such as v2.9.5")
    .default(defaultFluxVersion)
    .describe(`Release whose manifests are installed. Default: ${defaultFluxVersion}.`),
  manifests: z
    .string()
    .min(1, "must not be empty")
    .optional()
    .describe(
      "File with the release's manifests (install.yaml), relative to the project's root, for machines that do not reach its URL.",
    ),
  images: z
    .strictObject({
      source: imageReference.optional().describe("In the place of the release's source-controller."),
      kustomize: imageReference.optional().describe("In the place of the release's kustomize-controller."),
    })
    .default({})
    .describe("Images from a registry of your own."),
});

/** Flux as the engine of a stack that is delivered by GitOps. */
export const fluxEngine = {
  install: fluxInstall
    .nullable()
    .optional()
    .describe(
      "How this stack installs Flux. null: it is in the cluster already. Default: installed, but on another stack's platform.",
    ),
};

export type FluxInstall = z.output<typeof fluxInstall>;
