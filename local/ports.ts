import { Fault } from "../infra/fault.ts";
import { run } from "./run.ts";

/** First port of the block that the environment takes. */
export const DEFAULT_PORT_BASE = 26440;

/** Offsets in the block. Each listens on 127.0.0.1, but for the two that pods or the API server reach on the bridge. */
const offsets = {
  etcd: 0,
  etcdPeer: 1,
  registry: 2,
  apiServer: 3,
  kubelet: 10,
  kubeletHealth: 11,
  controllerManager: 12,
  scheduler: 13,
  proxyHealth: 14,
  proxyMetrics: 15,
  volumes: 16,
} as const;

export type PortName = keyof typeof offsets;
export type Ports = Readonly<Record<PortName, number>>;

const users: Readonly<Record<PortName, string>> = {
  etcd: "etcd, clients",
  etcdPeer: "etcd, peers",
  registry: "the image registry",
  apiServer: "the Kubernetes API server",
  kubelet: "the kubelet",
  kubeletHealth: "the kubelet, health",
  controllerManager: "the controller manager",
  scheduler: "the scheduler",
  proxyHealth: "kube-proxy, health",
  proxyMetrics: "kube-proxy, metrics",
  volumes: "the provisioner of volumes",
};

/** The ports of an environment whose block begins at `base` (a decimal number, from 1024 to 29900). */
export function portsFrom(base: string): Ports {
  const first = Number(base);
  // NodePorts begin at 30000, the kernel's own choice of ports soon after.
  if (!/^\d+$/.test(base) || first < 1024 || first > 29900) {
    throw new Fault({
      what: "SLIPWAY_PORT_BASE",
      value: base,
      rule: "must be a whole number from 1024 to 29900",
    });
  }
  return Object.fromEntries(Object.entries(offsets).map(([name, offset]) => [name, first + offset])) as Ports;
}

/** A TCP listener of the machine. */
export interface Listener {
  readonly address: string;
  readonly port: number;
  readonly pid?: number;
  readonly program?: string;
}

/** Parses `ss -Hltnp`. */
export function parseListeners(text: string): Listener[] {
  return text.split("\n").flatMap((line) => {
    const local = line.trim().split(/\s+/)[3];
    const at = local?.lastIndexOf(":") ?? -1;
    if (local === undefined || at < 0) return [];
    const held = /\(\("([^"]*)",pid=(\d+)/.exec(line);
    const owner = held ? { program: held[1] ?? "", pid: Number(held[2]) } : {};
    return [{ address: local.slice(0, at), port: Number(local.slice(at + 1)), ...owner }];
  });
}

/** Stops with one message that names every port of the block which a process other than `own` holds. */
export async function checkPorts(ports: Ports, own: ReadonlySet<number>): Promise<void> {
  const listeners = parseListeners(await run("/usr/bin/ss", ["-Hltnp"]));
  const taken = (Object.keys(ports) as PortName[]).flatMap((name) => {
    const other = listeners.find(
      (listener) => listener.port === ports[name] && (listener.pid === undefined || !own.has(listener.pid)),
    );
    return other ? [`${ports[name]} (${users[name]}) is held by ${holder(other)}`] : [];
  });
  if (taken.length === 0) return;
  throw new Fault({
    what: taken.length === 1 ? "port" : "ports",
    value: taken.join("; "),
    rule: "must be free",
    fix: "end that program, or move the whole block with SLIPWAY_PORT_BASE=<first port>",
  });
}

function holder(listener: Listener): string {
  return listener.pid === undefined
    ? `a program that cannot be seen, on ${listener.address}`
    : `${listener.program} (pid ${listener.pid}), on ${listener.address}`;
}
