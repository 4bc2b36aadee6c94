import * as pulumi from "@pulumi/pulumi";
import { InputError } from "../config/error.ts";
import type { Release } from "../config/images.ts";
import type { RunnableImage } from "../workloads/release.ts";
import { imagesOf } from "./promote.ts";

/**
 * The digests of a build that was handed over: nothing is built. None for a stack that is to have its platform
 * first and its first build later.
 *
 * @throws InputError when the build has no image of one of the workloads
 */
export function releasedImages(
  workloads: readonly string[],
  release: Release,
): { [workload: string]: RunnableImage } {
  if (Object.keys(release.workloads).length === 0) return {};
  return Object.fromEntries(
    workloads.map((name) => {
      const image = release.workloads[name];
      if (image === undefined) {
        throw new InputError({
          key: "slipway:images.release",
          value: release.build,
          rule: `has no image of ${name}: it was built when the application did not have it`,
          hint: "Deploy a build of this commit, or check out the commit of that build",
        });
      }
      return [name, image];
    }),
  );
}

/**
 * The digests that the stack runs already, so that a plain `pulumi up` changes everything but the images.
 *
 * @throws InputError when it runs none
 */
export async function runningImages(
  workloads: readonly string[],
  { project, stack }: { readonly project: string; readonly stack: string },
): Promise<{ [workload: string]: RunnableImage }> {
  const images = await imagesOf("running", `${pulumi.getOrganization()}/${project}/${stack}`);
  if (images === undefined || Object.keys(images).length === 0) {
    throw new InputError({
      key: "slipway:images.release",
      rule: "is required as long as the stack runs no build",
      hint: `Hand one over: npm run promote -- --to ${stack}, or npm run ci:deploy -- --stack ${stack} --images FILE`,
    });
  }
  return releasedImages(workloads, { build: "running", workloads: images });
}
