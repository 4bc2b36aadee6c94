import type { z } from "zod";
import { InputError, type Problem } from "./error.ts";
import { type StackConfig, type StackContext, stackSchema } from "./stack.ts";

/** Keys at or below which a value may be a secret: shown in a message by name only. */
const secretPaths = [
  /^database\.url$/,
  // But a reference to a Key Vault, which tells only where the secret is.
  /^secrets(?!\.[^.]+\.[^.]+\.keyVault$)(\.|$)/,
  /^platform\.registry$/,
  /(^|\.)password$/,
  /^delivery\.repository\.(ssh\.(push|pull)Key|token\.(push|pull))$/,
  /^delivery\.(signingKey|install\.sso\.clientSecret)$/,
];

/** Takes the user and password out of a URL. */
function withoutUserinfo(value: unknown): unknown {
  return typeof value === "string" ? value.replace(/\/\/[^/@]*@/g, "//…@") : value;
}

function dotted(path: readonly PropertyKey[]): string {
  return path
    .map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`))
    .join("")
    .replace(/^\./, "");
}

function at(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (inner, part) => (inner as Record<PropertyKey, unknown> | undefined | null)?.[part],
    value,
  );
}

const nouns: Record<string, string> = {
  string: "a string",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  object: "a map",
  record: "a map",
  array: "a list",
};

/** Keys of the configuration that are maps by workload. */
const byWorkload = ["workloads", "exposure", "secrets"];

function problemOf(issue: z.core.$ZodIssue, raw: unknown, context: StackContext): Problem[] {
  const { workloads } = context;
  const key = (path: readonly PropertyKey[]) =>
    path.length === 0 ? "configuration" : `slipway:${dotted(path)}`;
  const shown = (path: readonly PropertyKey[]) => {
    const found = at(raw, path);
    const secret = secretPaths.some((pattern) => pattern.test(dotted(path)));
    return secret || (typeof found === "object" && found !== null) ? undefined : withoutUserinfo(found);
  };
  switch (issue.code) {
    case "unrecognized_keys":
      if (issue.path.length === 1 && byWorkload.includes(String(issue.path[0])))
        return issue.keys.map((unknown) => ({
          key: key([...issue.path, unknown]),
          rule: "is not a workload of this application",
          hint: `The workloads are: ${workloads.join(", ")}`,
        }));
      return issue.keys.map((unknown) => ({
        key: key([...issue.path, unknown]),
        rule: "is not a known key",
        hint: "See infra/config/stack.schema.json for the keys there are",
      }));
    case "invalid_type": {
      const value = shown(issue.path);
      const noun = nouns[issue.expected] ?? issue.expected;
      const custom = issue.message.startsWith("must ") ? issue.message : `must be ${noun}`;
      return [
        value === undefined && at(raw, issue.path) === undefined
          ? { key: key(issue.path), rule: `is required and ${custom}` }
          : { key: key(issue.path), value, rule: custom },
      ];
    }
    case "invalid_value":
      return [
        {
          key: key(issue.path),
          value: shown(issue.path),
          rule: `must be ${issue.values.map((value) => JSON.stringify(value)).join(" or ")}`,
        },
      ];
    case "invalid_union": {
      if (issue.discriminator === undefined) {
        // What is wrong within the alternative that is meant: the one that takes a value of this type.
        const meant = issue.errors.find((problems) => problems.every(({ path }) => path.length > 0));
        return meant === undefined
          ? [{ key: key(issue.path), value: shown(issue.path), rule: issue.message }]
          : meant.flatMap((inner) =>
              problemOf({ ...inner, path: [...issue.path, ...inner.path] }, raw, context),
            );
      }
      const field = [
        ...issue.path,
        ...(issue.path.at(-1) === issue.discriminator ? [] : [issue.discriminator]),
      ];
      const options =
        "options" in issue && Array.isArray(issue.options)
          ? issue.options.map((option) => JSON.stringify(option)).join(" or ")
          : "one of the kinds in the schema";
      return [{ key: key(field), value: shown(field), rule: `must be ${options}` }];
    }
    case "invalid_key":
      return issue.issues.map((inner) => ({ key: key(issue.path), rule: inner.message }));
    default: {
      const hint = issue.code === "custom" ? (issue.params?.hint as string | undefined) : undefined;
      return [
        {
          key: key(issue.path),
          value: shown(issue.path),
          rule: issue.message,
          ...(hint === undefined ? {} : { hint }),
        },
      ];
    }
  }
}

/**
 * Checks a stack's raw configuration against the schema and fills in the defaults.
 *
 * @param raw the values under `slipway:`, by key without that prefix
 * @throws InputError with every problem there is, each with key, value and rule
 */
export function parseStackConfig(raw: unknown, context: StackContext): StackConfig {
  const result = stackSchema(context).safeParse(raw);
  if (!result.success)
    throw new InputError(result.error.issues.flatMap((issue) => problemOf(issue, raw, context)));
  return result.data;
}

/**
 * Does what reads a stack's configuration from its file.
 *
 * @throws its InputError, with keys that begin with the file's name
 */
export function inStackFile<T>(stack: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError(
      error.problems.map((problem) => ({ ...problem, key: `Pulumi.${stack}.yaml: ${problem.key}` })),
    );
  }
}
