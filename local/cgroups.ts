import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { BUILD_CGROUP, CGROUP } from "./settings.ts";

/** Controllers that the kubelet wants to find in its root group on a machine with the unified hierarchy. */
const unifiedControllers = ["cpuset", "cpu", "io", "memory", "hugetlb", "pids"];

/**
 * What a group gets of a busy processor, where one other thread gets 1024, or by weight 100. All pods together would
 * count as a single thread, and whoever calls them wait whenever something is built or started beside them: they get as
 * much as sixteen, and of that a build what they leave.
 */
const processorShares: { readonly [group: string]: { readonly [file: string]: number } } = {
  [CGROUP]: { "cpu.shares": 16 * 1024, "cpu.weight": 16 * 100 },
  [BUILD_CGROUP]: { "cpu.shares": 2, "cpu.weight": 1 },
};

/** Makes the environment's groups in every hierarchy: the kubelet does not make its root group itself. */
export function makeCgroups(): void {
  for (const root of hierarchies()) {
    const controllers = join(root, "cgroup.controllers");
    const unified = existsSync(controllers) ? readFileSync(controllers, "utf8").split(/\s+/) : [];
    const enable = unifiedControllers.filter((name) => unified.includes(name)).map((name) => `+${name}`);
    // Each hierarchy level hands controllers on by itself; what is on already stays as it is.
    if (enable.length > 0) writeFileSync(join(root, "cgroup.subtree_control"), enable.join(" "));
    mkdirSync(join(root, BUILD_CGROUP), { recursive: true });
    if (enable.length > 0) writeFileSync(join(root, CGROUP, "cgroup.subtree_control"), enable.join(" "));
    for (const [group, shares] of Object.entries(processorShares))
      for (const [file, value] of Object.entries(shares))
        if (existsSync(join(root, group, file))) writeFileSync(join(root, group, file), String(value));
  }
}

/** Ends every process in the environment's groups and removes the groups. Returns those that could not be removed. */
export async function removeCgroups(deadlineSeconds = 10): Promise<string[]> {
  const roots = hierarchies().map((root) => join(root, CGROUP));
  const limit = performance.now() + deadlineSeconds * 1000;
  for (;;) {
    const groups = roots.flatMap(groupsBelow);
    if (groups.length === 0 || performance.now() > limit) return groups;
    for (const group of groups) endAll(group);
    for (const group of groups) {
      try {
        rmdirSync(group);
      } catch {
        // Still holds a process on its way out.
      }
    }
    await sleep(20);
  }
}

/** Pids in the environment's groups: what runs in pods and in builds. */
export function cgroupProcesses(): number[] {
  const groups = hierarchies().flatMap((root) => groupsBelow(join(root, CGROUP)));
  return [...new Set(groups.flatMap(members))];
}

/** A group and all below it, the deepest first. */
function groupsBelow(group: string): string[] {
  if (!existsSync(group)) return [];
  const children = readdirSync(group, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return [...children.flatMap((entry) => groupsBelow(join(group, entry.name))), group];
}

function endAll(group: string): void {
  for (const pid of members(group)) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It ended in between.
    }
  }
}

function members(group: string): number[] {
  try {
    return readFileSync(join(group, "cgroup.procs"), "utf8").split("\n").filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/** Mount points of all hierarchies, version 1 and 2. */
function hierarchies(): string[] {
  return readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .map((line) => line.split(" "))
    .flatMap(([, path, type]) =>
      path?.startsWith("/sys/fs/cgroup") && /^cgroup2?$/.test(type ?? "") ? [path] : [],
    );
}
