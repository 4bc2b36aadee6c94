import { existsSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { absentProfiles, unloadProfiles } from "./apparmor.ts";
import { currentBoot } from "./descriptor.ts";
import { readIfPresent, writeFileAtomic } from "./files.ts";
import { ask, run } from "./run.ts";
import type { Settings } from "./settings.ts";

/**
 * Kernel settings that the environment needs or that the kubelet and kube-proxy set without asking. All are set here,
 * so that the values from before are known and stop can put them back.
 */
const sysctls: Readonly<Record<string, string>> = {
  "net/ipv4/ip_forward": "1",
  // Replies between two pods on the bridge must pass the NAT that rewrote the request's service address.
  "net/bridge/bridge-nf-call-iptables": "1",
  // NodePorts on 127.0.0.1 are rewritten to a pod's address.
  "net/ipv4/conf/all/route_localnet": "1",
  "vm/overcommit_memory": "1",
  "kernel/panic": "10",
  "kernel/panic_on_oops": "1",
  "kernel/keys/root_maxkeys": "1000000",
  "kernel/keys/root_maxbytes": "25000000",
};

/** Kernel features as the file that shows them and the module that brings them. */
const features: readonly (readonly [path: string, module: string])[] = [
  ["/proc/sys/net/bridge", "br_netfilter"],
  ["/proc/sys/net/netfilter/nf_conntrack_max", "nf_conntrack"],
];

/** Directories that programs make at fixed places. Removed by stop when they were absent before and are empty. */
const sharedDirectories = [
  "/run/containerd/s",
  "/run/containerd/fifo",
  "/run/containerd",
  "/run/docker/plugins",
  "/run/docker",
  "/run/kubernetes",
  "/run/mount",
  "/run/netns",
  "/run/runc",
  "/var/lib/cni/results",
  "/var/lib/cni/cache",
  "/var/lib/cni/networks",
  "/var/lib/cni",
  "/var/lib/kubelet/device-plugins",
  "/var/lib/kubelet",
  "/var/log/containers",
  "/var/log/pods",
  "/opt/containerd/bin",
  "/opt/containerd/lib",
  "/opt/containerd",
] as const;

/** Made by iptables, kept locked only while it works. */
const XTABLES_LOCK = "/run/xtables.lock";

/** Named counters that kube-proxy makes in the kernel and leaves there. */
const counters = ["ct_state_invalid_dropped_pkts", "localhost_nps_accepted_pkts"];

const recordSchema = z.strictObject({
  bootId: z.string(),
  sysctls: z.record(z.string(), z.string()),
  /** Tables of the packet filter, as "ip nat". */
  tables: z.array(z.string()),
  /** Modules that were not loaded. */
  modules: z.array(z.string()),
  /** Paths that did not exist. */
  absent: z.array(z.string()),
  /** Of {@link counters}, those that were not there. */
  counters: z.array(z.string()).default([]),
  /** AppArmor profiles of containers that were not loaded. */
  profiles: z.array(z.string()).default([]),
});

/** How the machine was before the environment changed it. */
export type HostRecord = z.infer<typeof recordSchema>;

function recordPath(settings: Settings): string {
  return join(settings.stateDir, "host.json");
}

/** The record of this boot; none when the environment has changed nothing since. */
export function readHostRecord(settings: Settings): HostRecord | undefined {
  const text = readIfPresent(recordPath(settings));
  if (text === undefined) return undefined;
  const record = recordSchema.parse(JSON.parse(text));
  return record.bootId === currentBoot() ? record : undefined;
}

/** Notes how the machine is, once per boot and before anything is changed; then loads modules and sets the kernel. */
export async function prepareHost(settings: Settings): Promise<void> {
  if (readHostRecord(settings) === undefined) {
    const modules: string[] = [];
    for (const [path, module] of features) if (!existsSync(path)) modules.push(module);
    const record: HostRecord = {
      bootId: currentBoot(),
      sysctls: readSysctls(),
      tables: await filterTables(),
      modules,
      counters: await absentCounters(),
      profiles: absentProfiles(),
      absent: [XTABLES_LOCK, ...sharedDirectories].filter((path) => !existsSync(path)),
    };
    writeFileAtomic(recordPath(settings), JSON.stringify(record, undefined, 2));
    for (const module of modules) await ask("/usr/sbin/modprobe", [module]);
    // What a module brought has a value only now, and goes with the module.
  }
  for (const [key, value] of Object.entries(sysctls)) writeSysctl(key, value);
}

/** Puts back what {@link prepareHost} changed and nobody changed since. */
export async function restoreHost(record: HostRecord): Promise<void> {
  for (const [key, before] of Object.entries(record.sysctls)) {
    if (readSysctl(key) === sysctls[key]) writeSysctl(key, before);
  }
  for (const module of record.modules) await ask("/usr/sbin/modprobe", ["-r", module]);
  unloadProfiles(record.profiles);
  for (const counter of record.counters) await ask("/usr/sbin/nfacct", ["delete", counter]);
  const added = (await filterTables()).filter((table) => !record.tables.includes(table));
  for (const table of added) {
    // A table with a rule in it belongs to someone else by now.
    const content = await run("/usr/sbin/nft", ["list", "table", ...table.split(" ")]);
    if (isEmptyTable(content)) await run("/usr/sbin/nft", ["delete", "table", ...table.split(" ")]);
  }
  if (record.absent.includes(XTABLES_LOCK)) rmSync(XTABLES_LOCK, { force: true });
  for (const path of sharedDirectories) {
    if (!record.absent.includes(path) || !existsSync(path)) continue;
    try {
      rmdirSync(path);
    } catch {
      // Not empty: someone else uses it too.
    }
  }
}

/** Whether `nft list table` shows base chains that accept everything, and nothing else. */
export function isEmptyTable(listing: string): boolean {
  return listing
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .every((line) => /^(table \S+ \S+ \{|chain \S+ \{|type .*policy accept;|\})$/.test(line));
}

async function absentCounters(): Promise<string[]> {
  const present = (await ask("/usr/sbin/nfacct", ["list"])) ?? "";
  return counters.filter((counter) => !present.includes(counter));
}

async function filterTables(): Promise<string[]> {
  const listing = (await ask("/usr/sbin/nft", ["list", "tables"])) ?? "";
  return listing.split("\n").flatMap((line) => /^table (ip6? \S+)$/.exec(line)?.[1] ?? []);
}

function readSysctls(): Record<string, string> {
  return Object.fromEntries(
    Object.keys(sysctls).flatMap((key) => {
      const value = readSysctl(key);
      return value === undefined ? [] : [[key, value]];
    }),
  );
}

function readSysctl(key: string): string | undefined {
  return readIfPresent(`/proc/sys/${key}`)?.trim();
}

function writeSysctl(key: string, value: string): void {
  const now = readSysctl(key);
  if (now !== undefined && now !== value) writeFileSync(`/proc/sys/${key}`, value);
}
