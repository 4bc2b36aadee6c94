// The page ships this file, and zod/mini is the zod that bundles small.
import { z } from "zod/mini";

/** Where the page and the server find the configuration, relative to the static root. */
export const runtimeConfigPath = "config/config.json";

const runtimeConfig = z.strictObject({
  /** Where the api is: an absolute URL, or a path on the page's own origin. */
  apiUrl: z
    .string("must be a string")
    .check(z.refine(isApiUrl, 'must be an http or https URL without query, or a path that begins with "/"')),
  /** Replaces the page's headline. */
  title: z.optional(z.string("must be a string").check(z.minLength(1, "must not be empty"))),
  /** Replaces the sentence below the headline. */
  text: z.optional(z.string("must be a string").check(z.minLength(1, "must not be empty"))),
});

export type RuntimeConfig = z.output<typeof runtimeConfig>;

/** The configuration breaks a rule: the message names each key, its value and the rule. */
export class RuntimeConfigError extends Error {
  override name = "RuntimeConfigError";
}

export function parseRuntimeConfig(json: string): RuntimeConfig {
  const value = parseJson(json);
  // Compiling validators needs eval, which the page's security policy forbids.
  const result = runtimeConfig.safeParse(value, { jitless: true });
  if (result.success) return result.data;
  const problems = result.error.issues.flatMap((issue) =>
    issue.code === "unrecognized_keys"
      ? issue.keys.map((key) => problem(value, key, "is not a known key"))
      : [problem(value, issue.path[0], issue.message)],
  );
  throw new RuntimeConfigError(problems.join("; "));
}

/** The origin the page may connect to besides its own, for its Content-Security-Policy. */
export function apiOrigin({ apiUrl }: RuntimeConfig): string | undefined {
  return apiUrl.startsWith("/") ? undefined : new URL(apiUrl).origin;
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    throw new RuntimeConfigError(`the file must be JSON: ${(error as Error).message}`);
  }
}

function problem(config: unknown, key: PropertyKey | undefined, rule: string): string {
  if (key === undefined) return `the file must be a JSON object, not ${JSON.stringify(config)}`;
  const value = (config as Record<PropertyKey, unknown>)[key];
  return `${String(key)}=${value === undefined ? "(missing)" : JSON.stringify(value)}: ${rule}`;
}

function isApiUrl(value: string): boolean {
  // "//host" and "/\host" look like paths, but browsers read them as other hosts.
  if (value.startsWith("/")) return !/^\/[/\\]|[?#]/.test(value);
  const url = URL.parse(value);
  return /^https?:\/\//.test(value) && url !== null && !url.search && !url.hash && !url.username;
}
