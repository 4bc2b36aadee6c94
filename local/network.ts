import { existsSync } from "node:fs";
import { Fault } from "../infra/fault.ts";
import type { HostRecord } from "./host.ts";
import { socketProbe } from "./http.ts";
import type { Ports } from "./ports.ts";
import { ask, run } from "./run.ts";
import { network, type Settings } from "./settings.ts";

interface Chain {
  readonly table: "filter" | "nat";
  /** The chain that jumps here first of all. */
  readonly parent: string;
  readonly name: string;
  readonly rules: readonly string[];
}

/**
 * Refuses other networks the ports that are not on loopback alone: the API server takes one address or all, and pods
 * come by the bridge's, the machine by 127.0.0.1; the kubelet is for the API server.
 */
function inputChain({ apiServer, kubelet }: Ports, family: Family): Chain {
  const ports = `-p tcp -m multiport --dports ${apiServer},${kubelet}`;
  const pods = family === "ip" ? [`-i ${network.podBridge} ${ports} -j ACCEPT`] : [];
  const rules = [...pods, `! -i lo ${ports} -j REJECT --reject-with tcp-reset`];
  return { table: "filter", parent: "INPUT", name: "SLIPWAY-INPUT", rules };
}

/**
 * Machines with Docker or a firewall drop what they do not know: pods and builds may go anywhere, answers may come
 * back, nothing else may come in.
 */
function forwardChain(): Chain {
  const rules = [network.podBridge, network.buildBridge].flatMap((bridge) => [
    `-i ${bridge} -j ACCEPT`,
    `-o ${bridge} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`,
  ]);
  return { table: "filter", parent: "FORWARD", name: "SLIPWAY-FORWARD", rules };
}

/** What leaves the machine from a pod or a build bears the machine's address. */
function masqueradeChain(): Chain {
  const { podBridge, podCidr, buildBridge, buildCidr } = network;
  const rules = [
    `-s ${podCidr} ! -d ${podCidr} ! -o ${podBridge} -j MASQUERADE`,
    `-s ${buildCidr} ! -d ${buildCidr} ! -o ${buildBridge} -j MASQUERADE`,
  ];
  return { table: "nat", parent: "POSTROUTING", name: "SLIPWAY-POSTROUTING", rules };
}

/** There is no chain of CNI plugins: hostPort, which alone would need some, is left out, so podman's stay untouched. */
const OWN_CHAIN = /^(KUBE|SLIPWAY)-/;
/** Where every kubelet listens for device plugins, whatever its own directory is. */
export const KUBELET_SOCKET = "/var/lib/kubelet/device-plugins/kubelet.sock";

const IPTABLES = { ip: "/usr/sbin/iptables", ip6: "/usr/sbin/ip6tables" } as const;

type Family = keyof typeof IPTABLES;

/** Stops when the machine has an interface, a route or a packet filter that the environment would collide with. */
export async function checkNetwork(record: HostRecord | undefined): Promise<void> {
  if (record !== undefined) return; // What is there is this environment's own.
  for (const bridge of [network.podBridge, network.buildBridge]) {
    if (!existsSync(`/sys/class/net/${bridge}`)) continue;
    throw new Fault({
      what: "network interface",
      value: bridge,
      rule: "must not exist before the environment makes it",
      fix: `if nothing of yours needs it: ip link delete ${bridge}`,
    });
  }
  const routes = JSON.parse(await run("/usr/sbin/ip", ["-4", "-j", "route", "show", "table", "all"])) as {
    dst: string;
  }[];
  for (const own of [network.podCidr, network.buildCidr, network.serviceCidr]) {
    const other = routes.find(
      ({ dst }) => /^\d/.test(dst) && !dst.startsWith("0.0.0.0/") && overlap(dst, own),
    );
    if (other === undefined) continue;
    throw new Fault({
      what: "route",
      value: other.dst,
      rule: `must not overlap ${own}, which the environment uses for pods and services`,
      fix: "leave that network (a VPN?), or change the address in local/settings.ts",
    });
  }
  const rules = (await ask("/usr/sbin/iptables-save", ["-t", "nat"])) ?? "";
  const signs = [
    ...(/^:KUBE-SERVICES /m.test(rules) ? ["the packet filter has a chain KUBE-SERVICES"] : []),
    ...((await socketProbe(KUBELET_SOCKET)) === undefined ? [`a kubelet answers on ${KUBELET_SOCKET}`] : []),
  ];
  if (signs.length > 0) {
    throw new Fault({
      what: "machine",
      value: signs.join(", "),
      rule: "must not be a Kubernetes node already: two cannot share its network",
      fix: "use that cluster instead (set its kubeconfig in the stack), or stop it",
    });
  }
}

/** Whether two IPv4 networks, or addresses, share an address. */
export function overlap(one: string, other: string): boolean {
  const [first, second] = [range(one), range(other)];
  return first.start <= second.end && second.start <= first.end;
}

function range(cidr: string): { start: number; end: number } {
  const [address = "", bits = "32"] = cidr.split("/");
  const value = address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
  const size = 2 ** (32 - Number(bits));
  const start = Math.floor(value / size) * size;
  return { start, end: start + size - 1 };
}

/** Makes the bridges and the environment's own chains, where they are missing. */
export async function makeNetwork(settings: Settings): Promise<void> {
  await makeBridge(network.podBridge, `${network.nodeAddress}/24`);
  await makeBridge(network.buildBridge, `${network.buildAddress}/24`);
  const { ports } = settings;
  await makeChains("ip", [inputChain(ports, "ip"), forwardChain(), masqueradeChain()]);
  // The kernel may have been booted without IPv6: then there is nothing to refuse.
  if (existsSync("/proc/sys/net/ipv6")) await makeChains("ip6", [inputChain(ports, "ip6")]);
}

async function makeChains(family: Family, chains: readonly Chain[]): Promise<void> {
  const present = await run(`${IPTABLES[family]}-save`, []);
  const tables = (["filter", "nat"] as const).map((table) => {
    const own = chains.filter((chain) => chain.table === table);
    const jumps = own
      .filter(({ parent, name }) => !present.includes(`-A ${parent} -j ${name}\n`))
      .map(({ parent, name }) => `-I ${parent} 1 -j ${name}`);
    return [
      `*${table}`,
      // Naming a chain empties it, so the rules are those of this version whatever was there.
      ...own.map(({ name }) => `:${name} - [0:0]`),
      ...own.flatMap(({ name, rules }) => rules.map((rule) => `-A ${name} ${rule}`)),
      ...jumps,
      "COMMIT\n",
    ].join("\n");
  });
  const wanted = tables.filter((table) => table.includes("\n:"));
  await run(`${IPTABLES[family]}-restore`, ["--noflush", "-w", "10"], { input: wanted.join("") });
}

async function makeBridge(name: string, address: string): Promise<void> {
  if (!existsSync(`/sys/class/net/${name}`))
    await run("/usr/sbin/ip", ["link", "add", name, "type", "bridge"]);
  await run("/usr/sbin/ip", ["address", "replace", address, "dev", name]);
  await run("/usr/sbin/ip", ["link", "set", name, "up"]);
}

/** Takes away every chain and rule of the environment and of its kube-proxy, and nothing else. */
export async function removeFilters(): Promise<void> {
  for (const program of Object.values(IPTABLES)) {
    const saved = await ask(`${program}-save`, []);
    const script = removalScript(saved ?? "");
    if (script !== "") await run(`${program}-restore`, ["--noflush", "-w", "10"], { input: script });
  }
}

/** Turns the output of `iptables-save` into what `iptables-restore --noflush` needs to remove our chains from it. */
export function removalScript(saved: string): string {
  const out: string[] = [];
  for (const block of saved.split(/^(?=\*)/m)) {
    const lines = block.split("\n");
    const names = lines
      .flatMap((line) => /^:(\S+)/.exec(line)?.[1] ?? [])
      .filter((name) => OWN_CHAIN.test(name));
    if (!block.startsWith("*") || names.length === 0) continue;
    const foreign = lines.filter((line) => {
      const [, chain = "", target = ""] = /^-A (\S+).* -[jg] (\S+)/.exec(line) ?? [];
      return names.includes(target) && !names.includes(chain);
    });
    out.push(lines[0] ?? "", ...foreign.map((line) => line.replace("-A", "-D")));
    out.push(...names.map((name) => `-F ${name}`), ...names.map((name) => `-X ${name}`), "COMMIT");
  }
  return out.length === 0 ? "" : `${out.join("\n")}\n`;
}

/** Removes the bridges and what hangs on them. */
export async function removeInterfaces(): Promise<void> {
  for (const bridge of [network.podBridge, network.buildBridge]) {
    if (!existsSync(`/sys/class/net/${bridge}`)) continue;
    const ports = JSON.parse(await run("/usr/sbin/ip", ["-j", "link", "show", "master", bridge])) as {
      ifname: string;
    }[];
    for (const { ifname } of ports) await ask("/usr/sbin/ip", ["link", "delete", ifname]);
    await run("/usr/sbin/ip", ["link", "delete", bridge]);
  }
}
