import type * as pulumi from "@pulumi/pulumi";
import type { Stack } from "../config/load.ts";
import type { Platform } from "../platform/index.ts";
import type { Application } from "../workloads/definition.ts";
import type { RunnableImage } from "../workloads/release.ts";
import { buildImages } from "./build.ts";
import { promotedImages } from "./promote.ts";
import { releasedImages, runningImages } from "./release.ts";

/** The images of an application by workload, each `name@sha256:…`. */
export type Images = { readonly [workload: string]: RunnableImage };

/**
 * Provides an image for each workload: built and pushed, the digest that another stack runs, or that of a build handed
 * over. None at all before a stack is given its first build.
 */
export async function provideImages(
  application: Application,
  { project, name, config: { images } }: Stack,
  platform: Platform,
): Promise<Images> {
  switch (images.source) {
    case "build":
      return buildImages(
        application,
        { repository: images.repository ?? project, baseImage: images.baseImage, platform: images.platform },
        platform,
      );
    case "promote":
      return promotedImages(Object.keys(application), images.stack);
    case "digests":
      return images.release === undefined
        ? runningImages(Object.keys(application), { project, stack: name })
        : releasedImages(Object.keys(application), images.release);
  }
}

/** Digest references by workload: the stack output that `promote` takes. */
export function imageOutputs(images: Images): {
  [workload: string]: { reference: pulumi.Input<string>; version: pulumi.Input<string> };
} {
  return Object.fromEntries(
    Object.entries(images).map(([name, { reference, version }]) => [name, { reference, version }]),
  );
}
