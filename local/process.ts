import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Fault } from "../infra/fault.ts";
import { writeFileAtomic } from "./files.ts";
import { SYSTEM_PATH } from "./run.ts";
import type { Settings } from "./settings.ts";

/** One process of the environment, as data. */
export interface ProcessSpec {
  readonly name: string;
  /** Absolute path, so that nothing on the caller's PATH is taken for it. */
  readonly command: string;
  /** Never a secret: arguments are visible to every user of the machine. */
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Configuration, written before the process starts; a change restarts it. */
  readonly files?: readonly { readonly path: string; readonly content: string }[];
  /** Made before the process starts. */
  readonly directories?: readonly string[];
  /** Left by a process that was killed, in the way of the next one. */
  readonly stale?: readonly string[];
  /** Undefined when it serves, else why it does not yet. */
  readonly ready: () => Promise<string | undefined>;
  /** Seconds until it has to serve. */
  readonly deadline: number;
}

/** A live process that bears this environment's mark. */
export interface Running {
  readonly pid: number;
  readonly name: string;
  readonly digest: string;
  /** False for what a process started itself: shims, helpers. */
  readonly main: boolean;
  /** Start time in clock ticks since boot: with the pid, a name that is never used twice. */
  readonly started: string;
}

// The mark is in the process's own environment, which the kernel keeps and only root could forge: there is no pid
// file that could name a recycled pid, and none that an interrupted start could fail to write.
const MARK = "SLIPWAY_STATE";
const MARK_NAME = "SLIPWAY_PROCESS";
const MARK_DIGEST = "SLIPWAY_DIGEST";
const BUILD = "build";

/** Environment for programs that a start waits for: should it be killed, the next one or stop finds and ends them. */
export function buildMark(settings: Settings): Record<string, string> {
  return { [MARK]: settings.stateDir, [MARK_NAME]: BUILD };
}

/** Ends what an interrupted start left compiling. */
export async function stopOrphanedBuilds(settings: Settings): Promise<void> {
  await stopProcesses(findProcesses(settings).filter((running) => running.name === BUILD));
}

/** Every live process of the environment, found by its mark. */
export function findProcesses(settings: Settings): Running[] {
  return readdirSync("/proc").flatMap((entry) => {
    const running = /^\d+$/.test(entry) ? inspect(Number(entry), settings.stateDir) : undefined;
    return running === undefined ? [] : [running];
  });
}

function inspect(pid: number, stateDir: string): Running | undefined {
  try {
    if (statSync(`/proc/${pid}`).uid !== 0) return undefined;
    const environ = readFileSync(`/proc/${pid}/environ`, "latin1");
    if (!environ.includes(`${MARK}=`)) return undefined;
    const variables = new Map(
      environ
        .split("\0")
        .map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]),
    );
    if (variables.get(MARK) !== stateDir) return undefined;
    const fields = statFields(pid);
    return {
      pid,
      name: variables.get(MARK_NAME) ?? "",
      digest: variables.get(MARK_DIGEST) ?? "",
      main: Number(fields[3]) === pid,
      started: fields[19] ?? "",
    };
  } catch {
    return undefined; // It ended while being looked at.
  }
}

/** Resident set of a process in KiB; none when it has ended. */
export function residentKiB(pid: number): number {
  try {
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/** Path of a process's log. */
export function logPath(settings: Settings, name: string): string {
  return join(settings.stateDir, "logs", `${name}.log`);
}

/**
 * Makes sure that a process runs as specified and serves: leaves a healthy one alone, replaces one of another
 * specification, starts one that is missing, and starts one anew once when it runs without ever serving.
 *
 * @returns whether it had to be started
 */
export async function ensureProcess(settings: Settings, spec: ProcessSpec): Promise<boolean> {
  const digest = createHash("sha256")
    .update(JSON.stringify([spec.command, spec.args, spec.env, spec.files]))
    .digest("hex")
    .slice(0, 16);
  const mains = findProcesses(settings).filter((running) => running.main && running.name === spec.name);
  const [current] = mains;
  if (current !== undefined && mains.length === 1 && current.digest === digest) {
    if ((await untilReady(spec, () => !alive(current))) === undefined) return false;
  }
  await stopProcesses(mains);
  const child = launch(settings, spec, digest);
  let ended: string | undefined;
  child.on("error", (error) => {
    ended = error.message;
  });
  child.on("exit", (code, signal) => {
    ended = signal === null ? `exit ${code}` : `ended by ${signal}`;
  });
  const reason = await untilReady(spec, () => ended !== undefined);
  child.removeAllListeners();
  if (reason === undefined) return true;
  throw new Fault({
    what: spec.name,
    value: ended ?? reason,
    rule: ended === undefined ? `must serve within ${spec.deadline} s` : "must keep running",
    log: tail(logPath(settings, spec.name), 12),
    fix: `see ${logPath(settings, spec.name)}; \`npm start\` resumes here, \`npm stop\` removes everything`,
  });
}

/** Waits until a process serves. Gives the last reason why not when it ended or its deadline passed. */
async function untilReady(spec: ProcessSpec, ended: () => boolean): Promise<string | undefined> {
  const limit = performance.now() + spec.deadline * 1000;
  for (let pause = 20; ; pause = Math.min(pause * 1.5, 250)) {
    const reason = await spec.ready();
    if (reason === undefined) return undefined;
    if (ended() || performance.now() > limit) return reason;
    await sleep(pause);
  }
}

function launch(settings: Settings, spec: ProcessSpec, digest: string): ChildProcess {
  const log = logPath(settings, spec.name);
  for (const directory of [dirname(log), ...(spec.directories ?? [])]) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  }
  for (const file of spec.files ?? []) writeFileAtomic(file.path, file.content);
  for (const path of spec.stale ?? []) rmSync(path, { force: true });
  rotate(log);
  const output = openSync(log, "a", 0o600);
  try {
    const child = spawn(spec.command, spec.args, {
      cwd: settings.stateDir,
      // A session of its own: Ctrl-C at the terminal ends the start, not the cluster.
      detached: true,
      stdio: ["ignore", output, output],
      env: {
        PATH: SYSTEM_PATH,
        HOME: settings.stateDir,
        ...spec.env,
        [MARK]: settings.stateDir,
        [MARK_NAME]: spec.name,
        [MARK_DIGEST]: digest,
      },
    });
    child.unref();
    return child;
  } finally {
    closeSync(output);
  }
}

const LOG_LIMIT_BYTES = 32 * 1024 * 1024;

function rotate(log: string): void {
  const size = statSync(log, { throwIfNoEntry: false })?.size ?? 0;
  if (size > LOG_LIMIT_BYTES) renameSync(log, `${log}.old`);
}

/** The last lines of a file, or nothing when there is none. */
export function tail(path: string, lines: number): string {
  try {
    return readFileSync(path, "utf8").trimEnd().split("\n").slice(-lines).join("\n");
  } catch {
    return "";
  }
}

/** Asks processes to end and, after the grace, ends them. Returns when none is left. */
export async function stopProcesses(processes: readonly Running[], graceSeconds = 5): Promise<void> {
  const limit = performance.now() + graceSeconds * 1000;
  for (const running of processes) signal(running, "SIGTERM");
  // A stopped process (SIGSTOP) sees no SIGTERM before it continues.
  for (const running of processes) signal(running, "SIGCONT");
  while (processes.some(alive) && performance.now() < limit) await sleep(20);
  for (const running of processes) signal(running, "SIGKILL");
  while (processes.some(alive)) await sleep(20);
}

function signal(running: Running, name: NodeJS.Signals): void {
  if (!alive(running)) return;
  try {
    process.kill(running.pid, name);
  } catch {
    // It ended in between.
  }
}

function alive(running: Running): boolean {
  try {
    const [state, ...fields] = statFields(running.pid);
    if (fields[18] !== running.started) return false;
    // The first thread of a killed process may be a zombie while others, on their way out, still hold its ports.
    return state !== "Z" || readdirSync(`/proc/${running.pid}/task`).length > 1;
  } catch {
    return false;
  }
}

/** What /proc tells of a process from its state on: the name before it, in parentheses, may hold anything. */
function statFields(pid: number): string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}
