import { beforeEach, expect, test } from "vitest";
import { rollback } from "../../../ci/commands/rollback.ts";
import { Pipeline, release, update } from "../../support/pipeline.ts";

let pipeline: Pipeline;
let server: string;

beforeEach(async () => {
  pipeline = await Pipeline.create();
  server = pipeline.world.address;
  const [old, bad, now] = [
    release("4710", "a", server),
    { ...release("4711", "b", server), by: "joe", forced: "the probe lies" },
    release("4712", "c", server),
  ];
  pipeline.runs("prod", now, server);
  pipeline.history("prod", [
    update(now, { at: "2026-11-04T00:00:00.000Z" }),
    update(release("4799", "d", server), { result: "failed", at: "2026-11-03T00:00:00.000Z" }),
    update(bad, { at: "2026-11-02T00:00:00.000Z" }),
    update(old, { at: "2026-11-01T12:00:00.000Z" }),
    update(old, { at: "2026-11-01T00:00:00.000Z" }),
    update({ build: "none", workloads: {} }, { at: "2026-10-01T00:00:00.000Z" }),
  ]);
  pipeline.after("prod", pipeline.outputsOf(old, server));
});

const options = { stack: "prod", wait: 0, smoke: 0 };

test("lists each build that ran, the last one first, with commit, time, who and digests", async () => {
  await rollback(options);
  const text = pipeline.printed.join("\n");
  expect(text.split("\n").filter((line) => /^\d/.test(line))).toEqual([
    "4712  cccccccccc  2026-11-04T00:00:00.000Z  unknown  (runs)",
    "4711  bbbbbbbbbb  2026-11-02T00:00:00.000Z  joe, forced: the probe lies",
    "4710  aaaaaaaaaa  2026-11-01T00:00:00.000Z  unknown",
  ]);
  expect(text).toContain(`    ${server}/slipway/api@sha256:${"a".repeat(64)}`);
  expect(pipeline.changes()).toEqual([]);
});

test("--json gives a machine the same", async () => {
  await rollback({ ...options, json: true });
  expect(JSON.parse(pipeline.printed.join("\n"))).toMatchObject([
    { build: "4712", runs: true },
    { build: "4711", by: "joe", forced: "the probe lies", runs: false },
    { build: "4710", commit: "a".repeat(40), at: "2026-11-01T00:00:00.000Z" },
  ]);
});

test("puts a build back by its digests, and builds nothing", async () => {
  pipeline.world.run(release("4710", "a", server));
  await rollback({ ...options, to: "4710" });
  expect(pipeline.givenImages("prod")).toEqual({
    source: "digests",
    release: { ...release("4710", "a", server), by: "jane" },
  });
  expect(pipeline.changes()).toEqual([
    "up --yes --skip-preview --refresh --config-file FILE --message Roll back to build 4710 (aaaaaaaaaa) by jane --stack prod",
  ]);
  expect(pipeline.calls("docker")).toEqual([]);
});

test("a build that was forced once is not said to be forced when it is put back", async () => {
  pipeline.world.run(release("4711", "b", server));
  await rollback({ ...options, to: "4711" }).catch(() => {});
  expect(pipeline.givenImages("prod")).not.toHaveProperty("release.forced");
});

test.each(["4799", "none", "4713", "../x"])("a build that never ran is refused: %s", async (to) => {
  await expect(rollback({ ...options, to })).rejects.toThrow(
    `--to: ${to}: must be a build that stack prod has run\n  → its builds: 4712, 4711, 4710`,
  );
  expect(pipeline.changes()).toEqual([]);
});

test("a build whose digest the registry has lost is refused, and the stack is not touched", async () => {
  pipeline.world.answers.set(`/v2/slipway/frontend/manifests/sha256:${"a".repeat(64)}`, 404);
  await expect(rollback({ ...options, to: "4710" })).rejects.toThrow(
    `build 4710: ${server}/slipway/frontend@sha256:${"a".repeat(64)}: must still be in the registry, and is not`,
  );
  expect(pipeline.changes()).toEqual([]);
});

test("a registry that does not let look is no licence to go on", async () => {
  pipeline.world.answers.set(`/v2/slipway/api/manifests/sha256:${"a".repeat(64)}`, 403);
  await expect(rollback({ ...options, to: "4710" })).rejects.toThrow(
    `registry ${server}: HTTP 403: must let ci read slipway/api`,
  );
  expect(pipeline.changes()).toEqual([]);
});

test("a build that is back but does not answer is a failure that says so", async () => {
  pipeline.world.run(release("4710", "a", server));
  pipeline.world.answers.set("/readyz", 500);
  await expect(rollback({ ...options, to: "4710" })).rejects.toThrow(
    /stack prod: must run its images and answer within 0 s of its deployment\n.*answers HTTP 500/,
  );
});
