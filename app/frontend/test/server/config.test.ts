import { readFile } from "node:fs/promises";
import { hostname } from "node:os";
import { expect, test } from "vitest";
import { ConfigError, environment, readConfig } from "../../server/config.ts";

test("an empty environment gives the defaults", () => {
  expect(readConfig({})).toEqual({
    HOST: "0.0.0.0",
    PORT: 8080,
    LOG_LEVEL: "info",
    WEB_ROOT: expect.stringMatching(/\/wwwroot$/),
    BUILD_NUMBER: "dev",
    POD_NAME: hostname(),
    OTEL_SERVICE_NAME: "slipway-frontend",
    SHUTDOWN_TIMEOUT_SECONDS: 10,
  });
});

test.each([
  ["HOST", "", "must be an address to listen on"],
  ["PORT", "65536", "must be a whole number from 0 to 65535"],
  ["LOG_LEVEL", "verbose", "must be one of fatal, error, warn, info, debug, trace, silent"],
  ["WEB_ROOT", "wwwroot", "must be an absolute path"],
  ["BUILD_NUMBER", "", "must not be empty"],
  ["POD_NAME", "", "must not be empty"],
  ["SHUTDOWN_TIMEOUT_SECONDS", "0", "must be a whole number from 1 to 600"],
])("%s=%j is refused by key, value and rule", (key, value, rule) => {
  expect(() => readConfig({ [key]: value })).toThrow(ConfigError);
  expect(() => readConfig({ [key]: value })).toThrow(`${key}=${JSON.stringify(value)}: ${rule}`);
});

test("the README documents every variable", async () => {
  const readme = await readFile(new URL("../../../README.md", import.meta.url), "utf8");
  const section = readme.slice(readme.indexOf("## frontend"));
  for (const key of Object.keys(environment.shape)) expect(section).toContain(`\n| \`${key}\``);
});
