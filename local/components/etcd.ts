import { join } from "node:path";
import { probe } from "../http.ts";
import { pkiPath } from "../pki.ts";
import type { ProcessSpec } from "../process.ts";
import type { Settings } from "../settings.ts";
import type { Tools } from "../tools.ts";
import { readTls } from "./tls.ts";

export function etcd(settings: Settings, tools: Tools): ProcessSpec {
  const client = `https://127.0.0.1:${settings.ports.etcd}`;
  const peer = `https://127.0.0.1:${settings.ports.etcdPeer}`;
  const pki = (file: string) => pkiPath(settings, `etcd/${file}`);
  return {
    name: "etcd",
    command: join(tools.bin, "etcd"),
    args: [
      "--name=slipway",
      `--data-dir=${join(settings.stateDir, "etcd")}`,
      `--listen-client-urls=${client}`,
      `--advertise-client-urls=${client}`,
      `--listen-peer-urls=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
      `--initial-cluster=slipway=${peer}`,
      "--client-cert-auth",
      `--trusted-ca-file=${pki("ca.crt")}`,
      `--cert-file=${pki("server.crt")}`,
      `--key-file=${pki("server.key")}`,
      "--peer-client-cert-auth",
      `--peer-trusted-ca-file=${pki("ca.crt")}`,
      `--peer-cert-file=${pki("peer.crt")}`,
      `--peer-key-file=${pki("peer.key")}`,
      // Data outlives any killed process, for the kernel holds what was written. It may not outlive a power loss:
      // what is in here can be delivered again in seconds, and a laptop's disk is spared a sync per write.
      "--unsafe-no-fsync",
      "--snapshot-count=5000",
      "--log-level=warn",
    ],
    directories: [join(settings.stateDir, "etcd")],
    ready: () =>
      probe({
        url: `${client}/readyz`,
        tls: readTls(pki("ca.crt"), pki("healthcheck-client.crt"), pki("healthcheck-client.key")),
      }),
    deadline: 60,
  };
}
