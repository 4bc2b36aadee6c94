import { hostname } from "node:os";
import { fileURLToPath } from "node:url";
import { z } from "zod";

/** Every environment variable the server reads. Values arrive as strings; each says its own rule. */
export const environment = z.object({
  HOST: z.string().min(1, "must be an address to listen on").default("0.0.0.0"),
  PORT: wholeNumber(0, 65_535).default(8080),
  LOG_LEVEL: oneOf(["fatal", "error", "warn", "info", "debug", "trace", "silent"]).default("info"),
  // Beside the compiled server: dist/wwwroot after a build, /app/wwwroot in the image.
  WEB_ROOT: z
    .string()
    .startsWith("/", "must be an absolute path")
    .default(() => fileURLToPath(new URL("../wwwroot", import.meta.url))),
  BUILD_NUMBER: notEmpty().default("dev"),
  POD_NAME: notEmpty().default(() => hostname()),
  OTEL_EXPORTER_OTLP_ENDPOINT: httpUrl().optional(),
  OTEL_SERVICE_NAME: notEmpty().default("slipway-frontend"),
  SHUTDOWN_TIMEOUT_SECONDS: wholeNumber(1, 600).default(10),
});

export type Config = z.output<typeof environment>;

/** A variable that breaks a rule. */
interface Problem {
  readonly key: string;
  readonly value: string | undefined;
  readonly rule: string;
}

/** The environment breaks a rule: the message names each key, its value and the rule. */
export class ConfigError extends Error {
  override name = "ConfigError";

  constructor(problems: readonly Problem[]) {
    const lines = problems.map(({ key, value, rule }) => `${key}=${JSON.stringify(value)}: ${rule}`);
    super(`invalid environment: ${lines.join("; ")}`);
  }
}

export function readConfig(env: NodeJS.ProcessEnv): Config {
  const result = environment.safeParse(env);
  if (result.success) return result.data;
  throw new ConfigError(
    result.error.issues.map(({ path, message }) => {
      const key = String(path[0]);
      return { key, value: env[key], rule: message };
    }),
  );
}

function notEmpty() {
  return z.string().min(1, "must not be empty");
}

function wholeNumber(min: number, max: number) {
  const rule = `must be a whole number from ${min} to ${max}`;
  return z
    .string()
    .refine((value) => /^\d+$/.test(value) && Number(value) >= min && Number(value) <= max, rule)
    .transform(Number);
}

function httpUrl() {
  return z
    .string()
    .refine(
      (value) => /^https?:$/.test(URL.parse(value)?.protocol ?? "") && URL.parse(value)?.username === "",
      "must be a URL such as http://collector:4318",
    );
}

function oneOf<const Values extends readonly [string, ...string[]]>(values: Values) {
  return z.enum(values, `must be one of ${values.join(", ")}`);
}
