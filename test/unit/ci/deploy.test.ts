import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { deploy } from "../../../ci/commands/deploy.ts";
import { noteRun } from "../../../ci/lock.ts";
import { root } from "../../../infra/projectRoot.ts";
import { Pipeline, release } from "../../support/pipeline.ts";

const build = release("4711", "a");
const options = { stack: "dev", wait: 0, smoke: 0 };
let pipeline: Pipeline;

beforeEach(async () => {
  pipeline = await Pipeline.create();
  pipeline.runs("dev", build);
  pipeline.history("dev", []);
});

test("a build is deployed by its digests: the stack's own file would build", async () => {
  await deploy({ ...options, images: pipeline.file("images.json", build) });
  expect(pipeline.givenImages("dev")).toEqual({ source: "digests", release: { ...build, by: "jane" } });
  expect(pipeline.calls("docker")).toEqual([]);
});

test("without a build, the one that the stack was given last is deployed again", async () => {
  pipeline.runs("dev", build);
  await deploy(options);
  expect(pipeline.givenImages("dev")).toMatchObject({
    release: { build: "4711", workloads: build.workloads },
  });
});

test("a stack that was never given a build needs one", async () => {
  await expect(deploy(options)).rejects.toThrow("--images: is required: stack dev was never given a build");
  expect(pipeline.changes()).toEqual([]);
});

test("nothing in the checkout changes", async () => {
  const before = readdirSync(root).map((name) => [name, existsSync(name)]);
  const file = readFileSync(join(root, "Pulumi.dev.yaml"), "utf8");
  await deploy({ ...options, images: pipeline.file("images.json", build) });
  expect(readdirSync(root).map((name) => [name, existsSync(name)])).toEqual(before);
  expect(readFileSync(join(root, "Pulumi.dev.yaml"), "utf8")).toBe(file);
});

test.each([
  ["is not there", undefined, /images\.json: ENOENT: must be readable/],
  ["is not JSON", "{", /images\.json: must be JSON/],
  [
    "has a tag for a digest",
    { ...build, workloads: { api: { reference: "r/api:1", version: "1" } } },
    /name@sha256/,
  ],
  ["has no workload", { build: "1", workloads: {} }, /no workload: must be an images record/],
  ["has a build number that is no label", { ...build, build: "../1" }, /must be at most 63 letters/],
])("a record that %s is refused", async (_, content, message) => {
  const path = join(pipeline.bin, "images.json");
  if (content !== undefined) pipeline.file("images.json", content);
  await expect(deploy({ ...options, images: path })).rejects.toThrow(message);
  expect(pipeline.changes()).toEqual([]);
});

test("a deployment that fails shows the CLI's last lines", async () => {
  pipeline.file("before.sh", 'case "$*" in "up "*) echo "api: ImagePullBackOff"; exit 255;; esac');
  await expect(deploy({ ...options, images: pipeline.file("images.json", build) })).rejects.toThrow(
    /pulumi up .*: must succeed \(exit 255\)\n {2}\| api: ImagePullBackOff/,
  );
});

describe("a stack that is locked", () => {
  const lock = (pid: number) => `
case "$*" in
  "up "*) [ -f "$dir/free" ] || {
    echo "error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or delete the lock file with \\\`pulumi cancel\\\`."
    echo "  file:///state/x.json: created by root@vm (pid ${pid}) at 2026-11-22T07:05:55Z"
    exit 255
  };;
  "cancel "*) touch "$dir/free";;
esac`;
  const attempt = (wait: number) => deploy({ ...options, wait, images: pipeline.file("images.json", build) });

  test("is waited for, and deployed to when it is free", async () => {
    pipeline.file("before.sh", lock(1).replace("exit 255", 'touch "$dir/free"; exit 255'));
    await attempt(1);
    expect(pipeline.changes().filter((call) => call.startsWith("up"))).toHaveLength(2);
    expect(pipeline.changes().filter((call) => call.startsWith("cancel"))).toEqual([]);
  });

  test("by a run that nobody here knows is left alone, and how to clear it is told", async () => {
    pipeline.file("before.sh", lock(4_000_000));
    await expect(attempt(0)).rejects.toThrow(
      "stack dev: locked by root@vm (pid 4000000) since 2026-11-22T07:05:55Z: is being updated, and was for the 0 s that this run waited\n" +
        "  → run this again when that update has ended; if it was killed, clear its lock: pulumi cancel --stack dev",
    );
    expect(pipeline.changes().filter((call) => call.startsWith("cancel"))).toEqual([]);
  });

  test("by a run of this machine that was killed is cleared, and deployed to", async () => {
    const other = spawn("sleep", ["60"]);
    noteRun("dev", other.pid as number);
    pipeline.file("before.sh", lock(other.pid as number));
    await expect(attempt(0)).rejects.toThrow("is being updated");
    other.kill("SIGKILL");
    await once(other, "exit");
    await attempt(0);
    expect(pipeline.changes().filter((call) => call.startsWith("cancel"))).toEqual([
      "cancel --yes --stack dev",
    ]);
  });

  test("by another update in Pulumi Cloud is waited for too", async () => {
    pipeline.file(
      "before.sh",
      'case "$*" in "up "*) echo "error: [409] Conflict: Another update is currently in progress."; exit 255;; esac',
    );
    await expect(attempt(0)).rejects.toThrow("stack dev: locked by another update: is being updated");
  });
});

test("an interruption is passed on to the update, which ends in its own way", async () => {
  mkdirSync(join(pipeline.bin, "state"), { recursive: true });
  pipeline.file(
    "before.sh",
    'case "$*" in "up "*) trap "echo stopped >> $dir/stopped; exit 1" TERM; touch $dir/started; while :; do sleep 0.1; done;; esac',
  );
  const file = pipeline.file("images.json", build);
  const run = spawn(process.execPath, ["ci/cli.ts", "deploy", "--stack", "dev", "--images", file], {
    cwd: root,
    stdio: "ignore",
  });
  const exit = once(run, "exit");
  await expect.poll(() => existsSync(join(pipeline.bin, "started")), { timeout: 20_000 }).toBe(true);
  run.kill("SIGTERM");
  expect((await exit)[0]).toBe(1);
  expect(readFileSync(join(pipeline.bin, "stopped"), "utf8")).toBe("stopped\n");
}, 30_000);
