import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { build } from "../../../ci/commands/build.ts";
import { application } from "../../../infra/application.ts";
import { Pipeline, release, update } from "../../support/pipeline.ts";

const names = Object.keys(application);
let pipeline: Pipeline;
let record: string;

beforeEach(async () => {
  pipeline = await Pipeline.create();
  // Of the job that may run this.
  vi.stubEnv("BRANCH_NAME", "");
  vi.stubEnv("CHANGE_ID", "");
  pipeline.outputs("dev", { platform: pipeline.platform("registry.example") });
  record = join(pipeline.bin, "images.json");
});

const run = () => build({ stack: "dev", images: record, wait: 0 });
/** What docker was told to do, a word each. */
const words = () => pipeline.calls("docker").map((call) => call.split(" ")[0]);

test("each image is built once, tested, then pushed, and the record names what was pushed", async () => {
  await run();
  const written = JSON.parse(readFileSync(record, "utf8"));
  expect(written).toMatchObject({ build: "4711" });
  expect(written.commit).toMatch(/^[0-9a-f]{40}$/);
  for (const name of names) {
    expect(written.workloads[name].version).toBe("4711");
    expect(written.workloads[name].reference).toMatch(
      new RegExp(`^registry.example/slipway/${name}@sha256:[0-9a-f]{64}$`),
    );
  }
  expect(words().filter((word) => word === "build")).toHaveLength(names.length);
  expect(words().filter((word) => word === "push")).toHaveLength(names.length);
  expect(words().lastIndexOf("stop")).toBeLessThan(words().indexOf("push"));
});

test("an image runs in its test as its pod would: no privileges, no network, nothing to write to", async () => {
  await run();
  const created = pipeline.calls("docker").filter((call) => call.startsWith("create "));
  expect(created).toHaveLength(names.length);
  for (const call of created) {
    expect(call).toContain("--network=none --cap-drop=ALL --security-opt=no-new-privileges --read-only");
  }
});

describe("nothing is pushed, and no record is written, when an image", () => {
  test.each([
    [
      "is root's",
      'case "$*" in "image inspect"*) echo 0; exit;; esac',
      /USER 0: must run as a user other than root/,
    ],
    ["names its user", 'case "$*" in "image inspect"*) echo node; exit;; esac', /USER node: must run as/],
    ["names no user", 'case "$*" in "image inspect"*) echo; exit;; esac', /USER is not set: must run as/],
    [
      "does not answer",
      'case "$*" in "run "*) echo HTTP 500; exit 1;; "logs "*) echo EROFS; exit;; esac',
      /HTTP 500: must answer 200 to 399 to its liveness check at \/healthz within 60 s.*\n {2}\| EROFS/,
    ],
    [
      "has a process that is root's",
      'case "$*" in "top "*) printf "UID PID COMMAND\\n 0 17 cron\\n"; exit;; esac',
      /0 17 cron: must run no process as root/,
    ],
    [
      "has to be killed",
      'case "$*" in "inspect "*) echo 137; exit;; esac',
      /had to be killed: must end on SIGTERM/,
    ],
  ])("%s", async (_, script, message) => {
    pipeline.file("docker.sh", script);
    await expect(run()).rejects.toThrow(message);
    expect(words()).not.toContain("push");
    expect(existsSync(record)).toBe(false);
    expect(words().filter((word) => word === "rm").length).toBe(
      words().filter((word) => word === "create").length,
    );
  });
});

describe("the platform", () => {
  test("is brought up first, with no workload, where the stack was never deployed", async () => {
    pipeline.outputs("dev", {});
    pipeline.after("dev", { platform: pipeline.platform("registry.example") });
    await run();
    expect(pipeline.changes()).toEqual([
      "up --yes --skip-preview --refresh --config-file FILE --message Bring the platform up --stack dev",
    ]);
    expect(pipeline.givenImages("dev")).toEqual({
      source: "digests",
      release: { build: "none", workloads: {} },
    });
  });

  test("is never taken from a stack that has run, although its last deployment left no outputs", async () => {
    pipeline.outputs("dev", {});
    pipeline.history("dev", [
      update(release("4710", "b"), { result: "failed" }),
      update(release("4709", "c")),
    ]);
    await expect(run()).rejects.toThrow("stack dev: must tell its platform");
    expect(pipeline.changes()).toEqual([]);
  });
});

describe("attestations", () => {
  test("are made by syft and cosign for what was pushed, with the key that is configured", async () => {
    for (const tool of ["cosign", "syft"])
      pipeline.tool(tool, `#!/bin/sh\necho "${tool} $*" >> ${join(pipeline.bin, "attest.calls")}\n`);
    vi.stubEnv("COSIGN_KEY", "azurekms://vault.example/key");
    await run();
    const calls = readFileSync(join(pipeline.bin, "attest.calls"), "utf8").replaceAll(/\/tmp\/\S+\//g, "");
    const { reference } = JSON.parse(readFileSync(record, "utf8")).workloads.api;
    for (const call of [
      `cosign sign --yes --key azurekms://vault.example/key --tlog-upload=false ${reference}`,
      `cosign attest --yes --key azurekms://vault.example/key --tlog-upload=false --type slsaprovenance1 --predicate provenance.json ${reference}`,
      `syft scan registry:${reference} --select-catalogers +sbom-cataloger --output cyclonedx-json=sbom.json`,
      `cosign attest --yes --key azurekms://vault.example/key --tlog-upload=false --type cyclonedx --predicate sbom.json ${reference}`,
    ])
      expect(calls).toContain(`${call}\n`);
    expect(calls).not.toContain("hunter2");
  });

  test("are left out without a key, and the build says so", async () => {
    vi.stubEnv("COSIGN_KEY", "");
    await build({ stack: "dev", images: record, wait: 0, json: true });
    expect(JSON.parse(pipeline.printed.join("\n")).attested).toEqual({
      done: [],
      left: ["not signed, no SBOM or provenance attached: COSIGN_KEY is not set"],
    });
  });

  test("that were asked for and cannot be made fail the build", async () => {
    vi.stubEnv("COSIGN_KEY", "key.pem");
    await expect(run()).rejects.toThrow("cosign: must be on PATH");
    expect(existsSync(record)).toBe(false);
  });
});
