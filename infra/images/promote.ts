import * as pulumi from "@pulumi/pulumi";
import { InputError } from "../config/error.ts";
import type { RunnableImage } from "../workloads/release.ts";

/**
 * The digests that another stack runs: nothing is built.
 *
 * @param stack organization/project/stack
 * @throws InputError (as a failed Output) when that stack has no image of that name
 */
export function promotedImages(
  workloads: readonly string[],
  stack: string,
): { [workload: string]: RunnableImage } {
  const reference = new pulumi.StackReference("promoted", { name: stack });
  const images = reference.getOutput("images") as pulumi.Output<
    Record<string, { reference: string; version: string }> | undefined
  >;
  return Object.fromEntries(
    workloads.map((name) => {
      const image = images.apply((known) => {
        const found = known?.[name];
        if (found === undefined)
          throw new InputError({
            key: "slipway:images.stack",
            value: stack,
            rule: `has no image of ${name} to promote`,
            hint: `Deploy ${stack} first`,
          });
        return found;
      });
      return [name, { reference: image.reference, version: image.version }];
    }),
  );
}
