import { join } from "node:path";
import { probe } from "../http.ts";
import { kubeconfigPath } from "../pki.ts";
import type { ProcessSpec } from "../process.ts";
import { NAME, type Settings } from "../settings.ts";
import type { Tools } from "../tools.ts";
import { volumeProvisioner } from "./cluster-objects.ts";

/** Provisions persistent volumes: a directory each, below the state directory. */
export function volumes(settings: Settings, tools: Tools): ProcessSpec {
  const { stateDir, ports } = settings;
  const directory = join(stateDir, "volumes");
  return {
    name: "volumes",
    command: join(tools.bin, "volumes"),
    args: [
      `--kubeconfig=${kubeconfigPath(settings, "volumes")}`,
      `--directory=${directory}`,
      `--node=${NAME}`,
      `--provisioner=${volumeProvisioner}`,
      `--metrics-port=${ports.volumes}`,
    ],
    directories: [directory],
    ready: () => probe({ url: `http://127.0.0.1:${ports.volumes}/metrics` }),
    deadline: 60,
  };
}
