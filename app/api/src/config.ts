import { hostname } from "node:os";
import { z } from "zod";

/** Every environment variable the service reads. Values arrive as strings; each says its own rule. */
export const environment = z.object({
  HOST: z.string().min(1, "must be an address to listen on").default("0.0.0.0"),
  PORT: wholeNumber(0, 65_535).default(8080),
  LOG_LEVEL: oneOf(["fatal", "error", "warn", "info", "debug", "trace", "silent"]).default("info"),
  GREETING: notEmpty().default("Hello from Slipway"),
  CORS_ORIGINS: origins().default([]),
  DATABASE_URL: databaseUrl().optional(),
  BUILD_NUMBER: notEmpty().default("dev"),
  POD_NAME: notEmpty().default(() => hostname()),
  OTEL_EXPORTER_OTLP_ENDPOINT: httpUrl().optional(),
  OTEL_SERVICE_NAME: notEmpty().default("slipway-api"),
  SHUTDOWN_TIMEOUT_SECONDS: wholeNumber(1, 600).default(10),
});

/** Variables whose values are never shown. */
const secrets = ["DATABASE_URL"];

export type Config = z.output<typeof environment>;

/** The environment breaks a rule: the message names each key, its value and the rule. */
export class ConfigError extends Error {
  override name = "ConfigError";
}

export function readConfig(env: NodeJS.ProcessEnv): Config {
  const result = environment.safeParse(env);
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) => {
    const key = String(path[0]);
    return secrets.includes(key) ? `${key}: ${message}` : `${key}=${JSON.stringify(env[key])}: ${message}`;
  });
  throw new ConfigError(`invalid environment: ${problems.join("; ")}`);
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

function databaseUrl() {
  return z
    .string()
    .refine(
      (value) => /^postgres(ql)?:$/.test(URL.parse(value)?.protocol ?? ""),
      "must be a URL such as postgres://user:password@host/name",
    );
}

function origins() {
  return z
    .string()
    .transform((value) => (value === "" ? [] : value.split(",").map((origin) => origin.trim())))
    .refine(
      (list) => list.every(isOrigin),
      "must be comma-separated origins such as https://www.example.com: no path, no wildcard, no default port",
    );
}

/** Browsers send exactly this form, so anything else would never match a request. */
function isOrigin(value: string): boolean {
  return /^https?:/.test(value) && URL.parse(value)?.origin === value;
}
