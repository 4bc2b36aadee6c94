import { stripVTControlCharacters } from "node:util";
import { expect, test, vi } from "vitest";
import type { EnvironmentStatus } from "../../local/status.ts";
import { formatStatus } from "../../local/statusText.ts";

const status: EnvironmentStatus = {
  state: "up",
  processes: [{ name: "etcd", pid: 7, residentMiB: 90 }, { name: "registry" }],
  residentMiB: 1000,
  podsMiB: 200,
  node: "ready",
  dns: "ready",
  stacks: [
    {
      name: "local",
      namespace: "team",
      workloads: [
        { name: "api", build: "42", ready: 2, wanted: 2, health: "Healthy", url: "http://127.0.0.1:30081" },
        { name: "frontend", build: "7", ready: 1, wanted: 2, health: "Degraded" },
      ],
    },
  ],
  applications: [
    { name: "team", sync: "Synced", health: "Healthy", revision: "0123456789abcdef" },
    { name: "elsewhere", sync: "OutOfSync", health: "Missing" },
  ],
};

test("the status tells each stack's workloads: builds, pods, health, sync and URLs", () => {
  expect(stripVTControlCharacters(formatStatus(status)).split("\n")).toEqual([
    "local environment: up, 1000 MiB resident",
    "  etcd                     pid 7        90 MiB",
    "  registry                 not running",
    "  node                     ready",
    "  cluster DNS              ready",
    "  pods                     200 MiB",
    "  stack local               Synced, Healthy at 0123456789",
    "    api       42  2/2 pods     Healthy  http://127.0.0.1:30081",
    "    frontend  7   1/2 pods     Degraded",
    "  stack elsewhere          OutOfSync, Missing",
  ]);
});

test("colours are for terminals alone", () => {
  vi.stubEnv("FORCE_COLOR", "1");
  expect(formatStatus(status)).toContain("\u001b[32mHealthy\u001b[39m");
  vi.stubEnv("FORCE_COLOR", undefined);
  vi.stubEnv("NO_COLOR", "1");
  expect(formatStatus(status)).not.toContain("\u001b[");
  vi.unstubAllEnvs();
});
