import { readFile } from "node:fs/promises";
import { hostname } from "node:os";
import { expect, test } from "vitest";
import { ConfigError, environment, readConfig } from "../src/config.ts";

test("an empty environment gives the defaults", () => {
  expect(readConfig({})).toEqual({
    HOST: "0.0.0.0",
    PORT: 8080,
    LOG_LEVEL: "info",
    GREETING: "Hello from Slipway",
    CORS_ORIGINS: [],
    BUILD_NUMBER: "dev",
    POD_NAME: hostname(),
    OTEL_SERVICE_NAME: "slipway-api",
    SHUTDOWN_TIMEOUT_SECONDS: 10,
  });
});

test("origins are separated by commas; an empty list allows none", () => {
  const { CORS_ORIGINS } = readConfig({ CORS_ORIGINS: "https://a.example, http://127.0.0.1:30080" });
  expect(CORS_ORIGINS).toEqual(["https://a.example", "http://127.0.0.1:30080"]);
  expect(readConfig({ CORS_ORIGINS: "" }).CORS_ORIGINS).toEqual([]);
});

test.each([
  ["HOST", "", "must be an address to listen on"],
  ["PORT", "http", "must be a whole number from 0 to 65535"],
  ["PORT", "65536", "must be a whole number from 0 to 65535"],
  ["PORT", "80.5", "must be a whole number from 0 to 65535"],
  ["PORT", "", "must be a whole number from 0 to 65535"],
  ["LOG_LEVEL", "verbose", "must be one of fatal, error, warn, info, debug, trace, silent"],
  ["GREETING", "", "must not be empty"],
  ["CORS_ORIGINS", "*", "must be comma-separated origins"],
  ["CORS_ORIGINS", "https://a.example/", "must be comma-separated origins"],
  ["CORS_ORIGINS", "https://a.example:443", "must be comma-separated origins"],
  ["CORS_ORIGINS", "https://a.example,", "must be comma-separated origins"],
  ["BUILD_NUMBER", "", "must not be empty"],
  ["POD_NAME", "", "must not be empty"],
  ["SHUTDOWN_TIMEOUT_SECONDS", "0", "must be a whole number from 1 to 600"],
])("%s=%j is refused by key, value and rule", (key, value, rule) => {
  expect(() => readConfig({ [key]: value })).toThrow(ConfigError);
  expect(() => readConfig({ [key]: value })).toThrow(`${key}=${JSON.stringify(value)}: ${rule}`);
});

test("the database's URL is never shown", () => {
  expect(() => readConfig({ DATABASE_URL: "mysql://api:hunter2@db/api" })).toThrow(
    "invalid environment: DATABASE_URL: must be a URL such as postgres://user:password@host/name",
  );
});

test("every problem is named at once", () => {
  expect(() => readConfig({ PORT: "x", LOG_LEVEL: "y" })).toThrow(/PORT="x".*LOG_LEVEL="y"/);
});

test("the README documents every variable", async () => {
  const readme = await readFile(new URL("../../README.md", import.meta.url), "utf8");
  const section = readme.slice(readme.indexOf("## api"), readme.indexOf("## frontend"));
  for (const key of Object.keys(environment.shape)) expect(section).toContain(`\n| \`${key}\``);
});
