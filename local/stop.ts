import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { ListrTask } from "listr2";
import { Fault } from "../infra/fault.ts";
import { removeCgroups } from "./cgroups.ts";
import { readHostRecord, restoreHost } from "./host.ts";
import { KUBELET_SOCKET, removeFilters, removeInterfaces } from "./network.ts";
import { removeOwnDir } from "./own-dir.ts";
import { findProcesses, stopProcesses } from "./process.ts";
import { ask } from "./run.ts";
import type { Settings } from "./settings.ts";

/** Processes in the order in which they are ended: first who would start others again, last who others depend on. */
const order = [
  ["build", "kubelet", "kube-proxy", "kube-controller-manager", "kube-scheduler", "volumes"],
  ["kube-apiserver", "registry", "dockerd"],
  ["etcd"],
] as const;

/** Little: what a process could still write is deleted next. */
const GRACE_SECONDS = 2;

export interface StopOptions {
  /** Whether the state directory stays, so that the next start goes on with it. */
  readonly keepData: boolean;
}

/**
 * The steps that remove everything that start made, from whatever state it left. The cache of built tools stays, for
 * it belongs to the user and to no environment.
 */
export function stopTasks(settings: Settings, { keepData }: StopOptions): ListrTask[] {
  return [
    { title: "Processes", task: () => endProcesses(settings) },
    { title: "Mounts", task: () => unmountAll(settings) },
    { title: "Network", task: () => restoreNetwork(settings) },
    { title: "Files", task: () => removeFiles(settings, keepData) },
  ];
}

async function endProcesses(settings: Settings): Promise<void> {
  for (const names of order) {
    const processes = findProcesses(settings);
    await stopProcesses(
      processes.filter(({ main, name }) => (main || name === "build") && names.some((own) => own === name)),
      GRACE_SECONDS,
    );
  }
  // Containers go with their control groups; what is in them is about to be deleted, so there is nothing to save.
  const groups = await removeCgroups();
  // What is left: containerd, and the shims it started.
  await stopProcesses(findProcesses(settings), GRACE_SECONDS);
  const left = groups.length === 0 ? groups : await removeCgroups();
  if (left.length > 0) {
    throw new Fault({
      what: "control groups",
      value: left.join(", "),
      rule: "must be empty",
      fix: "run `npm stop` again",
    });
  }
}

/** Mount points below a directory, the deepest last. */
export function mountsBelow(directory: string, mountinfo: string): string[] {
  return mountinfo
    .split("\n")
    .map((line) =>
      line
        .split(" ")[4]
        ?.replace(/\\(\d{3})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 8))),
    )
    .filter((path): path is string => path !== undefined && `${path}/`.startsWith(`${directory}/`));
}

async function unmountAll(settings: Settings): Promise<void> {
  for (const directory of [settings.stateDir, settings.runDir]) {
    // Several may lie on one another at one place: each round takes the topmost.
    for (let round = 0; round < 10; round++) {
      const mounts = currentMounts(directory);
      if (mounts.length === 0) break;
      for (const path of mounts.reverse()) await ask("/usr/bin/umount", ["--no-canonicalize", path]);
      if (round > 2)
        for (const path of currentMounts(directory)) await ask("/usr/bin/umount", ["--lazy", path]);
    }
  }
}

function currentMounts(directory: string): string[] {
  return mountsBelow(directory, readFileSync("/proc/self/mountinfo", "utf8"));
}

async function restoreNetwork(settings: Settings): Promise<void> {
  const record = readHostRecord(settings);
  // Without a record nothing was changed in this boot, and what looks like ours is another's.
  if (record === undefined) return;
  await removeFilters();
  await removeInterfaces();
  removeStrays(settings);
  await restoreHost(record);
}

/** Files that containerd, the CNI library and the kubelet put at places of their own choosing. */
function removeStrays(settings: Settings): void {
  const { runDir, stateDir } = settings;
  for (const task of directories(join(runDir, "containerd/io.containerd.runtime.v2.task"), 2)) {
    const address = join(task, "address");
    if (existsSync(address)) rmSync(readFileSync(address, "utf8").replace("unix://", ""), { force: true });
  }
  for (const path of entries("/var/lib/cni/results")) {
    if (readFileSync(path, "utf8").includes(`${runDir}/`)) rmSync(path, { force: true });
  }
  // The kubelet's own, now that no kubelet runs; start refuses a machine where another one does.
  rmSync(KUBELET_SOCKET, { force: true });
  for (const path of entries("/var/log/containers")) {
    if (linkTarget(path)?.startsWith(`${stateDir}/`)) rmSync(path, { force: true });
  }
}

function entries(directory: string): string[] {
  return existsSync(directory) ? readdirSync(directory).map((name) => join(directory, name)) : [];
}

function directories(top: string, depth: number): string[] {
  return depth === 0 ? [top] : entries(top).flatMap((path) => directories(path, depth - 1));
}

function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

function removeFiles(settings: Settings, keepData: boolean): void {
  // Behind a mount may lie files of the user's: deleting through one must not happen.
  const mounts = [settings.stateDir, settings.runDir].flatMap(currentMounts);
  if (mounts.length > 0) {
    throw new Fault({
      what: "mounts",
      value: mounts.join(", "),
      rule: "must be gone before their directory is deleted",
      fix: "end what uses them (`fuser -vm <path>`), then run `npm stop` again",
    });
  }
  // The state last: it holds the record of how the machine was.
  removeOwnDir(settings.runDir);
  if (!keepData) removeOwnDir(settings.stateDir);
}
