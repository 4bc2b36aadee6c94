import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { readIfPresent } from "./files.ts";

const KERNEL = "/sys/kernel/security/apparmor";

/** Profiles that Docker and containerd load into the kernel and leave there. */
const profiles = ["docker-default", "cri-containerd.apparmor.d"];

/** Whether the kernel confines programs by AppArmor: then containers need its tools to be started at all. */
export function hasAppArmor(): boolean {
  return readIfPresent("/sys/module/apparmor/parameters/enabled")?.trim() === "Y" && existsSync(KERNEL);
}

/** Of the containers' profiles, those that are not loaded. */
export function absentProfiles(): string[] {
  const loaded = hasAppArmor() ? readFileSync(`${KERNEL}/profiles`, "utf8") : "";
  return profiles.filter((profile) => !loaded.split("\n").some((line) => line.startsWith(`${profile} (`)));
}

/** Unloads profiles, but for those that a process runs under: another Docker's containers would lose theirs. */
export function unloadProfiles(names: readonly string[]): void {
  if (!hasAppArmor()) return;
  const absent = absentProfiles();
  const confinements = new Set(readdirSync("/proc").flatMap(confinement));
  for (const name of names) {
    if (!absent.includes(name) && !confinements.has(name)) writeFileSync(`${KERNEL}/.remove`, name);
  }
}

/** Name of the profile that a process runs under, given its directory's name in /proc. */
function confinement(pid: string): string[] {
  if (!/^\d+$/.test(pid)) return [];
  try {
    return [readFileSync(`/proc/${pid}/attr/current`, "latin1").replace(/ \(\w+\)\n?$/, "")];
  } catch {
    return []; // It ended, or is the kernel's own.
  }
}
