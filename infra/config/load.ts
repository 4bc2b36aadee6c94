import * as pulumi from "@pulumi/pulumi";
import { InputError } from "./error.ts";
import { inStackFile, parseStackConfig } from "./parse.ts";
import { configNamespace, type StackConfig } from "./stack.ts";

/** Who this run is, and what it is to make. */
export interface Stack {
  readonly project: string;
  readonly name: string;
  readonly config: StackConfig;
}

/**
 * A date or time that is not quoted in a stack's file is a time to YAML, and Pulumi hands it on as Go prints it:
 * `2027-06-30 00:00:00 +0000 UTC`. This gives back what the file says.
 */
function unprinted(value: string): string {
  const [, day, time] = /^(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2}:\d{2}(?:\.\d+)?) \+0000 UTC$/.exec(value) ?? [];
  if (day === undefined) return value;
  return time === "00:00:00" ? day : `${day}T${time}Z`;
}

/** The parser's own message quotes the text, in which a secret may be. */
function parseJson(key: string, text: string): unknown {
  try {
    return JSON.parse(text, (_, value) => (typeof value === "string" ? unprinted(value) : value));
  } catch {
    throw new InputError({
      key,
      rule: "must be JSON where it begins with { or [",
      hint: "Set parts of it by: pulumi config set --path",
    });
  }
}

/** Reads Pulumi's flat, JSON-encoded configuration of this stack back into one value. */
function rawConfig(): Record<string, unknown> {
  const prefix = `${configNamespace}:`;
  const entries = Object.entries(pulumi.runtime.allConfig()).filter(([key]) => key.startsWith(prefix));
  return Object.fromEntries(
    entries.map(([key, value]) => {
      const text = value as string;
      // Only maps and lists are JSON: a namespace called "1" stays a string.
      return [key.slice(prefix.length), /^[[{]/.test(text) ? parseJson(key, text) : unprinted(text)];
    }),
  );
}

/**
 * The stack that this program runs for, its configuration checked. The one place that reads Pulumi's config.
 *
 * @param workloads names of the application's workloads
 * @throws InputError when a key is unknown, missing, or breaks its rule
 */
export function loadStack(workloads: readonly string[]): Stack {
  const name = pulumi.getStack();
  return inStackFile(name, () => ({
    project: pulumi.getProject(),
    name,
    config: parseStackConfig(rawConfig(), { stack: name, workloads }),
  }));
}
