import * as pulumi from "@pulumi/pulumi";
import { InputError, type Problem } from "../config/error.ts";
import { outputName } from "./shared.ts";

/** A choice that cannot be changed in place. */
export interface FixedChoice {
  readonly value: string;
  /** What is lost with the resource that a change replaces. */
  readonly loses: string;
}

/** Choices that cannot be changed in place, by configuration key. */
export type FixedChoices = { readonly [key: string]: FixedChoice };

/** What a change from the one to the other would replace, and lose. */
export function replacements(before: FixedChoices, after: FixedChoices): Problem[] {
  return Object.entries(after).flatMap(([key, { value, loses }]) => {
    const was = before[key]?.value;
    if (was === undefined || was === value) return [];
    return [
      {
        key,
        value,
        rule: `was ${JSON.stringify(was)} and cannot be changed in place: it would replace ${loses}`,
        hint: "Set it back; or, to lose that, set slipway:platform.allowReplace to true for one run",
      },
    ];
  });
}

/**
 * Compares a platform's fixed choices with those of the stack's last deployment, before anything is registered.
 *
 * @throws InputError with each choice that would replace something
 */
export async function refuseReplacements(after: FixedChoices): Promise<void> {
  const stack = `${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}`;
  const last = new pulumi.StackReference("last-deployment", { name: stack });
  const { value, secretValue } = await last.getOutputDetails(outputName);
  const before = (secretValue ?? value) as { readonly fixed?: FixedChoices } | undefined;
  const problems = replacements(before?.fixed ?? {}, after);
  if (problems.length > 0) throw new InputError(problems);
}
