import { join } from "node:path";
import { socketProbe } from "../http.ts";
import type { ProcessSpec } from "../process.ts";
import { CNI_PLUGIN_DIR, network, type Settings } from "../settings.ts";

export function containerdSocket(settings: Settings): string {
  return join(settings.runDir, "containerd.sock");
}

/** One containerd for the kubelet and for Docker: all of its directories are the environment's own. */
export function containerd(settings: Settings, pauseImage: string): ProcessSpec {
  const config = join(settings.runDir, "containerd.toml");
  const cniDir = join(settings.runDir, "cni/net.d");
  const socket = containerdSocket(settings);
  return {
    name: "containerd",
    command: "/usr/bin/containerd",
    args: ["--config", config],
    env: proxyVariables(process.env),
    files: [
      { path: config, content: containerdConfig(settings, pauseImage, cniDir) },
      { path: join(cniDir, "10-slipway.conflist"), content: cniConfig(settings) },
    ],
    ready: () => socketProbe(socket),
    deadline: 60,
  };
}

/** Programs that fetch images follow the caller's proxy; nothing else in the environment leaves the machine. */
export function proxyVariables(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const names = [
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
  ];
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

function containerdConfig(settings: Settings, pauseImage: string, cniDir: string): string {
  const { stateDir, runDir, ports } = settings;
  return `version = 2
root = "${stateDir}/containerd"
state = "${runDir}/containerd"
oom_score = 0
disabled_plugins = [
  "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs",
  "io.containerd.internal.v1.tracing",
  "io.containerd.tracing.processor.v1.otlp",
]

[grpc]
  address = "${containerdSocket(settings)}"

[debug]
  level = "warn"

[plugins."io.containerd.internal.v1.opt"]
  path = "${stateDir}/containerd/opt"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${pauseImage}"
  # Where the machine forbids lowering a process's OOM score, runc could not start a container at all.
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  stream_server_address = "127.0.0.1"

  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "${CNI_PLUGIN_DIR}"
    conf_dir = "${cniDir}"
    max_conf_num = 1

  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      Root = "${runDir}/runc"
      SystemdCgroup = false

  # Plain HTTP, and no credentials here on purpose: as on Azure, a pod gets an image by its pull secret or not at all.
  [plugins."io.containerd.grpc.v1.cri".registry.mirrors."127.0.0.1:${ports.registry}"]
    endpoint = ["http://127.0.0.1:${ports.registry}"]
`;
}

function cniConfig(settings: Settings): string {
  const bridge = {
    type: "bridge",
    bridge: network.podBridge,
    isGateway: true,
    // Masquerading is one rule of the environment's own for all pods, instead of a chain per container.
    ipMasq: false,
    // A pod may reach itself by its service.
    hairpinMode: true,
    ipam: {
      type: "host-local",
      ranges: [[{ subnet: network.podCidr, gateway: network.nodeAddress }]],
      routes: [{ dst: "0.0.0.0/0" }],
      dataDir: join(settings.runDir, "cni/addresses"),
    },
  };
  return JSON.stringify({ cniVersion: "0.4.0", name: "slipway", plugins: [bridge] }, undefined, 2);
}
