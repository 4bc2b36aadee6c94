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

/** The parser's own message quotes the text, in which a secret may be. */
function parseJson(key: string, text: string): unknown {
  try {
    return JSON.parse(text);
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
      return [key.slice(prefix.length), /^[[{]/.test(text) ? parseJson(key, text) : text];
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
