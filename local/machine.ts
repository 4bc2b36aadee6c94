import { Fault } from "../infra/fault.ts";
import { requireSpace } from "./disk.ts";
import type { StartOptions } from "./environment.ts";
import { readHostRecord } from "./host.ts";
import { checkNetwork } from "./network.ts";
import { checkOwnDir } from "./own-dir.ts";
import { missingPackages } from "./packages.ts";
import { checkPorts } from "./ports.ts";
import { findProcesses, stopOrphanedBuilds } from "./process.ts";
import type { Settings } from "./settings.ts";
import { argocdTools, kubernetesTools, pauseTools, rolloutsTools, volumesTools } from "./toolFamilies.ts";
import { checkTools } from "./tools.ts";

/** Stops unless this is root. Anything else needs to know that first. */
export function requireRoot(command: string): void {
  const uid = process.getuid?.();
  if (uid === 0) return;
  throw new Fault({
    what: "user",
    value: `uid ${uid ?? "unknown"}`,
    rule: "must be root: the environment makes network interfaces, mounts and control groups",
    fix: `run \`sudo ${command}\`, or set an existing cluster's kubeconfig and registry in the stack instead`,
  });
}

/** Everything that can be known to be wrong before anything is changed. */
export async function checkMachine(
  settings: Settings,
  { gitops = false, rollouts = false }: StartOptions,
): Promise<void> {
  const { stateDir } = settings;
  if (process.platform !== "linux" || (process.arch !== "x64" && process.arch !== "arm64")) {
    throw new Fault({
      what: "machine",
      value: `${process.platform} on ${process.arch}`,
      rule: "must be Linux on x64 or arm64",
      fix: "use a Linux machine, or set an existing cluster's kubeconfig and registry in the stack",
    });
  }
  for (const directory of [stateDir, settings.runDir]) checkOwnDir(directory);
  requireSpace([stateDir], 2, "the environment");
  await stopOrphanedBuilds(settings);
  const families = [
    kubernetesTools,
    pauseTools,
    volumesTools,
    ...(gitops ? [argocdTools] : []),
    ...(rollouts ? [rolloutsTools] : []),
  ];
  await Promise.all(families.map((family) => checkTools(settings, family)));
  // What looks at ports and routes may be missing itself: then these are checked as soon as it is installed.
  if (missingPackages(gitops).length === 0) await checkNeighbours(settings);
}

/** Whether other programs of the machine are in the way. */
export async function checkNeighbours(settings: Settings): Promise<void> {
  const own = new Set(findProcesses(settings).map(({ pid }) => pid));
  await checkPorts(settings.ports, own);
  await checkNetwork(readHostRecord(settings));
}
