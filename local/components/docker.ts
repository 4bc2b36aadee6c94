import { join } from "node:path";
import { probe } from "../http.ts";
import type { ProcessSpec } from "../process.ts";
import { BUILD_CGROUP, network, type Settings } from "../settings.ts";
import { containerdSocket, proxyVariables } from "./containerd.ts";

export function dockerSocket(settings: Settings): string {
  return join(settings.runDir, "docker.sock");
}

/** Docker for building and pushing. It shares containerd, makes no rule and no interface, and knows no login. */
export function docker(settings: Settings): ProcessSpec {
  const { stateDir, runDir } = settings;
  const config = join(runDir, "docker.json");
  const pidfile = join(runDir, "docker.pid");
  const content = {
    hosts: [`unix://${dockerSocket(settings)}`],
    containerd: containerdSocket(settings),
    "data-root": join(stateDir, "docker"),
    "exec-root": join(runDir, "docker"),
    pidfile,
    bridge: network.buildBridge,
    iptables: false,
    ip6tables: false,
    "ip-forward": false,
    "ip-masq": false,
    "userland-proxy": false,
    "cgroup-parent": BUILD_CGROUP,
    "exec-opts": ["native.cgroupdriver=cgroupfs"],
    // Docker 20.10 keeps a key for signing images in /etc/docker unless told where else.
    "deprecated-key-path": join(stateDir, "docker-key.json"),
    "storage-driver": "overlay2",
    "log-level": "warn",
    features: { buildkit: true },
  };
  return {
    name: "dockerd",
    command: "/usr/sbin/dockerd",
    args: [`--config-file=${config}`, "--oom-score-adjust=0"],
    env: { ...proxyVariables(process.env), DOCKER_CONFIG: join(stateDir, "docker-config") },
    files: [{ path: config, content: JSON.stringify(content, undefined, 2) }],
    // Docker takes a pid in here for a running daemon, whatever runs under it by now.
    stale: [pidfile],
    ready: () => probe({ url: "http://docker/_ping", socketPath: dockerSocket(settings) }),
    deadline: 120,
  };
}
