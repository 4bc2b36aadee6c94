import { readFileSync, readlinkSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { projectName } from "../local/deliver/project.ts";
import { digestOf, readIfPresent, writeFileAtomic } from "../local/files.ts";

/** Who holds a stack's lock, as far as the CLI tells. */
export interface StackLock {
  /** For people: `root@host (pid 17) since 2026-11-22T07:05:55Z`. */
  readonly holder: string;
  readonly pid?: number;
}

/** The lock that a failed command names, if that is why it failed. */
export function lockIn(lines: readonly string[]): StackLock | undefined {
  const text = lines.join("\n");
  // A backend of files, in a bucket or on a disk.
  const file = /created by (\S+) \(pid (\d+)\) at (\S+)/.exec(text);
  if (file !== null && text.includes("currently locked")) {
    const [, owner, pid, since] = file;
    return { holder: `${owner} (pid ${pid}) since ${since}`, pid: Number(pid) };
  }
  // Pulumi Cloud.
  if (/\b409\b.*Another update is currently in progress|Conflict: Another update/.test(text))
    return { holder: "another update" };
  return undefined;
}

/** A process, by what no other one ever shares: host names and pids come again, on machines made from one image. */
interface Identity {
  readonly pid: number;
  readonly boot: string;
  readonly pidNamespace: string;
  /** Start in clock ticks since boot. */
  readonly started: string;
}

/** Undefined when it has ended, or where there is no /proc to tell. */
function identify(pid: number): Identity | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return {
      pid,
      boot: readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim(),
      pidNamespace: readlinkSync("/proc/self/ns/pid"),
      started: stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "",
    };
  } catch {
    return undefined;
  }
}

function notePath(stack: string, pid: number): string {
  const base = process.env.XDG_STATE_HOME ?? join(homedir(), ".local/state");
  const key = digestOf(process.env.PULUMI_BACKEND_URL ?? "", projectName(), stack);
  return join(base, "slipway/updates", `${key}-${pid}.json`);
}

/** Notes which process changes a stack, for the run that comes after a kill. */
export function noteRun(stack: string, pid: number): void {
  const identity = identify(pid);
  if (identity !== undefined) writeFileAtomic(notePath(stack, pid), JSON.stringify(identity));
}

export function forgetRun(stack: string, pid: number): void {
  rmSync(notePath(stack, pid), { force: true });
}

/**
 * Whether a lock was surely left by a process that was killed: it was started here, on this very boot, and is gone.
 * True for one caller only, who then clears it: a second one might clear the lock that the first has taken since.
 */
export function claimAbandoned(stack: string, { pid }: StackLock): boolean {
  const here = identify(process.pid);
  const note = pid === undefined ? undefined : readIfPresent(notePath(stack, pid));
  if (pid === undefined || note === undefined || here === undefined) return false;
  const noted = JSON.parse(note) as Identity;
  if (noted.boot !== here.boot || noted.pidNamespace !== here.pidNamespace) return false;
  if (identify(pid)?.started === noted.started) return false;
  try {
    rmSync(notePath(stack, pid));
    return true;
  } catch {
    return false;
  }
}
