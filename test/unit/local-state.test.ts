import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { explain, Fault } from "../../infra/fault.ts";
import { currentBoot, type Descriptor, descriptorPath, readDescriptor } from "../../local/descriptor.ts";
import { requireSpace } from "../../local/disk.ts";
import { writeFileAtomic } from "../../local/files.ts";
import { takeLock } from "../../local/lock.ts";
import { checkOwnDir, claimOwnDir, removeOwnDir } from "../../local/own-dir.ts";
import { ensureProcess, findProcesses, type ProcessSpec, stopProcesses } from "../../local/process.ts";
import { resolveSettings } from "../../local/settings.ts";

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "slipway-"));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

describe("a fault", () => {
  test("is told as what, value, rule, log and fix, without a stack", () => {
    const parts = { what: "port", value: "1", rule: "must be free", log: "a\nb\n", fix: "free it" };
    expect(explain(new Fault(parts))).toBe("port: 1: must be free\n  | a\n  | b\n  → free it");
  });

  test("is what a full disk gives", () => {
    expect(() => requireSpace([join(directory, "not/there/yet")], 1e9, "a test")).toThrow(
      /^free space for .*not\/there\/yet: [\d.]+ GiB: must be at least 1000000000 GiB for a test\n/,
    );
  });
});

describe("the descriptor", () => {
  const descriptor: Descriptor = {
    kubeconfig: "/var/lib/slipway/admin.kubeconfig",
    context: "slipway",
    docker: { host: "unix:///run/slipway/docker.sock", network: "host" },
    registry: { server: "127.0.0.1:26442", username: "slipway", password: "secret" },
    baseImage: "slipway/node:24.21.0",
    postgresImage: `127.0.0.1:26442/slipway/postgres@sha256:${"2".repeat(64)}`,
    address: "127.0.0.1",
    boot: currentBoot(),
  };
  const write = (content: object) => writeFileAtomic(descriptorPath(directory), JSON.stringify(content));

  test("is read as it was written", () => {
    write(descriptor);
    expect(readDescriptor(directory)).toEqual(descriptor);
    expect(readdirSync(directory)).toEqual(["environment.json"]);
  });

  test("says to start when there is none", () => {
    expect(() => readDescriptor(directory)).toThrow(
      /environment\.json: absent: must have been started\n.*npm start/,
    );
  });

  test("of an earlier boot says to start again", () => {
    write({ ...descriptor, boot: "another" });
    expect(() => readDescriptor(directory)).toThrow("the machine was restarted since");
  });

  test("of another version names the key", () => {
    write({ ...descriptor, baseImage: undefined, more: 1 });
    expect(() => readDescriptor(directory)).toThrow(/baseImage/);
    expect(() => readDescriptor(directory)).toThrow(/more/);
  });
});

describe("a directory", () => {
  test("with other files is neither used nor deleted", () => {
    writeFileSync(join(directory, "mine"), "");
    expect(() => checkOwnDir(directory)).toThrow(`directory: ${directory}: must be empty`);
    removeOwnDir(directory);
    expect(readdirSync(directory)).toEqual(["mine"]);
  });

  test("that was claimed is deleted with all it holds", () => {
    const own = join(directory, "own");
    claimOwnDir(own);
    mkdirSync(join(own, "etcd"));
    checkOwnDir(own);
    removeOwnDir(own);
    expect(readdirSync(directory)).toEqual([]);
  });
});

// Processes are the environment's by their mark and their owner, root.
describe.runIf(process.getuid?.() === 0)("processes", () => {
  const settings = () =>
    resolveSettings({ SLIPWAY_STATE_DIR: directory, XDG_CACHE_HOME: join(directory, "cache") });
  const sleeper = (
    seconds: number,
    ready = () => Promise.resolve<string | undefined>(undefined),
  ): ProcessSpec => ({
    name: "sleeper",
    command: "/bin/sleep",
    args: [String(seconds)],
    files: [{ path: join(directory, "config"), content: `sleep ${seconds}` }],
    ready,
    deadline: 1,
  });
  const pids = () => findProcesses(settings()).map(({ pid }) => pid);

  afterEach(() => stopProcesses(findProcesses(settings()), 1));

  test("are started once and left alone while they are as specified", async () => {
    expect(await ensureProcess(settings(), sleeper(1000))).toBe(true);
    const first = pids();
    expect(first).toHaveLength(1);
    expect(await ensureProcess(settings(), sleeper(1000))).toBe(false);
    expect(pids()).toEqual(first);
    expect(readFileSync(join(directory, "config"), "utf8")).toBe("sleep 1000");
  });

  test("are replaced when the specification changes, and when they were killed", async () => {
    await ensureProcess(settings(), sleeper(1000));
    expect(await ensureProcess(settings(), sleeper(1001))).toBe(true);
    expect(pids()).toHaveLength(1);
    process.kill(pids()[0] ?? 0, "SIGKILL");
    // The kernel takes a moment to end it.
    await expect.poll(pids).toHaveLength(0);
    expect(await ensureProcess(settings(), sleeper(1001))).toBe(true);
    expect(pids()).toHaveLength(1);
  });

  test("of others are not touched", async () => {
    const other = spawn("/bin/sleep", ["1000"], { detached: true, stdio: "ignore" });
    await ensureProcess(settings(), sleeper(1000));
    await stopProcesses(findProcesses(settings()));
    expect(other.exitCode).toBeNull();
    expect(pids()).toEqual([]);
    other.kill("SIGKILL");
  });

  test("that end at once are told with their exit code and their last words", async () => {
    const spec = { ...sleeper(0, () => Promise.resolve("not yet")), args: ["nonsense"] };
    await expect(ensureProcess(settings(), spec)).rejects.toThrow(
      /^sleeper: exit 1: must keep running\n {2}\| .*nonsense/,
    );
  });

  test("that never serve are told with the reason", async () => {
    const spec = sleeper(1000, () => Promise.resolve("answers 500"));
    await expect(ensureProcess(settings(), spec)).rejects.toThrow(
      "sleeper: answers 500: must serve within 1 s",
    );
  });
});

describe("the lock", () => {
  const name = `\0slipway-test-${process.pid}`;

  test("is held by one at a time, and who waits is told by whom", async () => {
    const first = await takeLock("start", () => {}, name);
    const told: string[] = [];
    const second = takeLock("stop", (holder) => told.push(holder), name);
    await expect.poll(() => told).toEqual([`start (pid ${process.pid})`]);
    await first.release();
    await (await second).release();
    expect(told).toHaveLength(1);
  });

  test("is free again when its holder was killed", async () => {
    const code = `require("node:net").createServer().listen({ path: ${JSON.stringify(name)} }, () => console.log("up"))`;
    const holder = spawn(process.execPath, ["-e", code], { stdio: ["ignore", "pipe", "inherit"] });
    await new Promise((resolve) => holder.stdout.once("data", resolve));
    const lock = takeLock("start", () => {}, name);
    holder.kill("SIGKILL");
    await (await lock).release();
  });
});
