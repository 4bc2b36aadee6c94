import { join } from "node:path";
import { stringify } from "yaml";
import { readIfPresent } from "../files.ts";
import { probe } from "../http.ts";
import { kubeconfigPath, pkiPath } from "../pki.ts";
import type { ProcessSpec } from "../process.ts";
import { CGROUP, NAME, network, type Settings } from "../settings.ts";
import type { Tools } from "../tools.ts";
import { containerdSocket } from "./containerd.ts";

export function kubelet(settings: Settings, tools: Tools): ProcessSpec {
  const { stateDir, runDir, ports } = settings;
  const config = join(runDir, "kubelet.yaml");
  const resolver = join(runDir, "resolv.conf");
  const endpoint = `unix://${containerdSocket(settings)}`;
  const content = {
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    address: network.nodeAddress,
    port: ports.kubelet,
    healthzBindAddress: "127.0.0.1",
    healthzPort: ports.kubeletHealth,
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: pkiPath(settings, "ca.crt") },
    },
    authorization: { mode: "Webhook" },
    containerRuntimeEndpoint: endpoint,
    imageServiceEndpoint: endpoint,
    serializeImagePulls: false,
    // An image is gone only when somebody removes it: the ones loaded from tools could not be pulled again.
    imageGCHighThresholdPercent: 100,
    imageGCLowThresholdPercent: 99,
    cgroupDriver: "cgroupfs",
    cgroupRoot: CGROUP,
    failCgroupV1: false,
    failSwapOn: false,
    makeIPTablesUtilChains: false,
    oomScoreAdj: 0,
    clusterDNS: [network.dnsService],
    clusterDomain: network.clusterDomain,
    resolvConf: resolver,
    podLogsDir: join(stateDir, "logs/pods"),
    volumePluginDir: join(stateDir, "kubelet/volume-plugins"),
    // A developer's disk is often nearly full, and that is no reason to end pods.
    evictionHard: {
      "memory.available": "100Mi",
      "nodefs.available": "0%",
      "nodefs.inodesFree": "0%",
      "imagefs.available": "0%",
      "imagefs.inodesFree": "0%",
    },
  };
  return {
    name: "kubelet",
    command: join(tools.bin, "kubelet"),
    args: [
      `--config=${config}`,
      `--root-dir=${join(stateDir, "kubelet")}`,
      `--cert-dir=${join(stateDir, "kubelet/pki")}`,
      `--kubeconfig=${kubeconfigPath(settings, "kubelet")}`,
      `--hostname-override=${NAME}`,
      `--node-ip=${network.nodeAddress}`,
    ],
    files: [
      { path: config, content: stringify(content) },
      { path: resolver, content: `${podNameservers().join("\n")}\n` },
    ],
    ready: () => probe({ url: `http://127.0.0.1:${ports.kubeletHealth}/healthz` }),
    deadline: 120,
  };
}

/** The machine's resolvers for pods, as lines of resolv.conf: those on loopback are the machine's own and answer nobody else. */
export function podNameservers(): string[] {
  const sources = ["/run/systemd/resolve/resolv.conf", "/etc/resolv.conf"];
  return usableNameservers(sources.flatMap((path) => (readIfPresent(path) ?? "").split("\n")));
}

/** Lines of resolv.conf that make sense in a pod. */
export function usableNameservers(lines: readonly string[]): string[] {
  const servers = lines.filter((line) => /^nameserver\s+(?!127\.|::1\b)/.test(line));
  return [...new Set(servers)].slice(0, 3);
}

export function kubeProxy(settings: Settings, tools: Tools): ProcessSpec {
  const { runDir, ports } = settings;
  const config = join(runDir, "kube-proxy.yaml");
  const content = {
    apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
    kind: "KubeProxyConfiguration",
    mode: "iptables",
    clientConnection: { kubeconfig: kubeconfigPath(settings, "proxy") },
    clusterCIDR: network.podCidr,
    hostnameOverride: NAME,
    healthzBindAddress: `127.0.0.1:${ports.proxyHealth}`,
    metricsBindAddress: `127.0.0.1:${ports.proxyMetrics}`,
    // NodePorts are for this machine: no other one may reach them.
    nodePortAddresses: ["127.0.0.0/8"],
    iptables: { localhostNodePorts: true, minSyncPeriod: "100ms" },
    // Zero leaves the machine's own connection tracking as it is.
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: "0s", tcpCloseWaitTimeout: "0s" },
    oomScoreAdj: 0,
  };
  return {
    name: "kube-proxy",
    command: join(tools.bin, "kube-proxy"),
    args: [`--config=${config}`],
    files: [{ path: config, content: stringify(content) }],
    ready: () => probe({ url: `http://127.0.0.1:${ports.proxyHealth}/healthz` }),
    deadline: 120,
  };
}
