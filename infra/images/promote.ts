import * as pulumi from "@pulumi/pulumi";
import { InputError } from "../config/error.ts";
import type { RunnableImage } from "../workloads/release.ts";

/** What a stack tells of the images that it runs, by workload. */
type ImageOutputs =
  | { readonly [workload: string]: { readonly reference: string; readonly version: string } }
  | undefined;

/** The output `images` of a stack's last deployment. */
export async function imagesOf(resource: string, stack: string): Promise<ImageOutputs> {
  const reference = new pulumi.StackReference(resource, { name: stack });
  return (await reference.getOutputDetails("images")).value as ImageOutputs;
}

/**
 * The digests that another stack runs: nothing is built.
 *
 * @param stack organization/project/stack
 * @throws InputError when that stack has no image of one of the workloads
 */
export async function promotedImages(
  workloads: readonly string[],
  stack: string,
): Promise<{ [workload: string]: RunnableImage }> {
  const images = await imagesOf("promoted", stack);
  return Object.fromEntries(
    workloads.map((name) => {
      const image = images?.[name];
      if (image === undefined) {
        throw new InputError({
          key: "slipway:images.stack",
          value: stack,
          rule: `has no image of ${name} to promote`,
          hint: `Deploy ${stack} first`,
        });
      }
      return [name, { reference: image.reference, version: image.version }];
    }),
  );
}
