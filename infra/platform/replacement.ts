import * as pulumi from "@pulumi/pulumi";
import { InputError, type Problem } from "../config/error.ts";
import { outputName } from "./shared.ts";

/** A choice that cannot be changed in place. */
export interface FixedChoice {
  readonly value: string;
  /** What is lost with the resource that a change replaces. */
  readonly loses: string;
  /** A number that Azure raises in place, and never lowers. */
  readonly onlyGrows?: true;
}

/** Choices that cannot be changed in place, by configuration key. */
export type FixedChoices = { readonly [key: string]: FixedChoice };

function problemOf(key: string, was: string, { value, loses, onlyGrows }: FixedChoice): Problem | undefined {
  if (onlyGrows && Number(value) > Number(was)) return undefined;
  if (onlyGrows)
    return {
      key,
      value,
      rule: `was ${JSON.stringify(was)} and cannot be lowered: Azure only raises it`,
      hint: `Set it to ${was} or more`,
    };
  return {
    key,
    value,
    rule: `was ${JSON.stringify(was)} and cannot be changed in place: it would replace ${loses}`,
    hint: "Set it back; or, to lose that, set slipway:platform.allowReplace to true for one run",
  };
}

/**
 * What a change from the one to the other would replace, and lose.
 *
 * @param allowed whether only what is not possible at all is a problem
 */
export function replacements(before: FixedChoices, after: FixedChoices, allowed = false): Problem[] {
  return Object.entries(after).flatMap(([key, choice]) => {
    const was = before[key]?.value;
    if (was === undefined || was === choice.value || (allowed && !choice.onlyGrows)) return [];
    return problemOf(key, was, choice) ?? [];
  });
}

/**
 * Compares a platform's fixed choices with those of the stack's last deployment, before anything is registered.
 *
 * @param allowed whether this run may replace what asks for it
 * @throws InputError with each choice that would replace something, or cannot be changed at all
 */
export async function refuseReplacements(after: FixedChoices, allowed: boolean): Promise<void> {
  const stack = `${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}`;
  const last = new pulumi.StackReference("last-deployment", { name: stack });
  const { value, secretValue } = await last.getOutputDetails(outputName);
  const before = (secretValue ?? value) as { readonly fixed?: FixedChoices } | undefined;
  const problems = replacements(before?.fixed ?? {}, after, allowed);
  if (problems.length > 0) throw new InputError(problems);
}
