import { homedir } from "node:os";
import { isAbsolute, join, normalize } from "node:path";
import { Fault } from "../infra/fault.ts";
import { DEFAULT_STATE_DIR } from "./descriptor.ts";
import { DEFAULT_PORT_BASE, type Ports, portsFrom } from "./ports.ts";

/** Everything about an environment that may differ between machines or tests. Resolved once, passed as an argument. */
export interface Settings {
  /** Data, logs, keys: survives a reboot, removed by stop. */
  readonly stateDir: string;
  /** Sockets and runtime state: void after a reboot, removed by stop. */
  readonly runDir: string;
  /** Built tools and base images by content: kept by stop. */
  readonly cacheDir: string;
  readonly ports: Ports;
}

/** Name of the node, of the kubeconfig's context and of the registry's user. */
export const NAME = "slipway";

/** Addresses and interfaces. The pods' bridge carries the node's address, so the node is the same on any network. */
export const network = {
  podBridge: "slipway0",
  podCidr: "10.244.0.0/24",
  /** Gateway of the pods and address of the node: the API server and the kubelet are reached here from pods. */
  nodeAddress: "10.244.0.1",
  /** Bridge for containers that Docker builds in when a build names no network. */
  buildBridge: "slipway1",
  buildCidr: "10.245.0.0/24",
  buildAddress: "10.245.0.1",
  serviceCidr: "10.96.0.0/16",
  apiService: "10.96.0.1",
  dnsService: "10.96.0.10",
  clusterDomain: "cluster.local",
} as const;

/** Control group that everything in pods and in builds lives below. */
export const CGROUP = "/slipway";

/** The group in it that images are built in. */
export const BUILD_CGROUP = `${CGROUP}/builds`;

/** Where Debian's and Ubuntu's package puts the CNI plugins. */
export const CNI_PLUGIN_DIR = "/usr/lib/cni";

/**
 * Settings from the process's environment: `SLIPWAY_STATE_DIR`, `SLIPWAY_RUN_DIR`, `SLIPWAY_PORT_BASE` and
 * `XDG_CACHE_HOME`. Called at the edge of the program only.
 */
export function resolveSettings(env: Readonly<Record<string, string | undefined>>): Settings {
  const cacheHome = env.XDG_CACHE_HOME ?? join(env.HOME ?? homedir(), ".cache");
  return {
    stateDir: directory("SLIPWAY_STATE_DIR", env.SLIPWAY_STATE_DIR ?? DEFAULT_STATE_DIR),
    runDir: directory("SLIPWAY_RUN_DIR", env.SLIPWAY_RUN_DIR ?? "/run/slipway"),
    cacheDir: join(directory("XDG_CACHE_HOME", cacheHome), "slipway"),
    ports: portsFrom(env.SLIPWAY_PORT_BASE ?? String(DEFAULT_PORT_BASE)),
  };
}

function directory(key: string, value: string): string {
  const path = normalize(value).replace(/\/$/, "");
  // Stop deletes these trees, so a path like /var is refused here already.
  if (!isAbsolute(path) || path.split("/").length < 3) {
    throw new Fault({ what: key, value, rule: "must be an absolute path at least two levels deep" });
  }
  // A Unix socket's path is limited to 107 bytes, and the longest below the run directory takes 40.
  if (key === "SLIPWAY_RUN_DIR" && path.length > 60) {
    throw new Fault({ what: key, value, rule: "must have at most 60 characters (it holds Unix sockets)" });
  }
  return path;
}
