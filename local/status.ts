import { existsSync } from "node:fs";
import { cgroupProcesses } from "./cgroups.ts";
import { dnsState, nodeState, readObject } from "./cluster.ts";
import { descriptorPath, readDescriptor } from "./descriptor.ts";
import { kubeconfigPath } from "./pki.ts";
import { findProcesses, residentKiB } from "./process.ts";
import { NAME, type Settings } from "./settings.ts";
import { type StackState, stackStates } from "./stackStatus.ts";

/** The processes of a complete environment. */
export const processNames = [
  "containerd",
  "dockerd",
  "registry",
  "etcd",
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
  "kubelet",
  "kube-proxy",
  "volumes",
] as const;

export interface ProcessStatus {
  readonly name: string;
  readonly pid?: number;
  readonly residentMiB?: number;
}

/** How far a stack that is delivered by GitOps is. */
export interface ApplicationState {
  readonly name: string;
  readonly sync: string;
  readonly health: string;
  /** Commit that it was last compared with. */
  readonly revision?: string;
}

export interface EnvironmentStatus {
  /** Absent: nothing is there. Down: data without processes. Partial: some run. */
  readonly state: "absent" | "down" | "partial" | "up";
  readonly processes: readonly ProcessStatus[];
  /** All of it: these processes, the shims they started, and what runs in pods. */
  readonly residentMiB: number;
  /** Of that, what runs in pods. */
  readonly podsMiB: number;
  readonly node: string;
  readonly dns: string;
  /** What was delivered here. */
  readonly stacks?: readonly StackState[];
  /** The stacks that Argo CD syncs, where it is installed. */
  readonly applications?: readonly ApplicationState[];
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly registry?: string;
  readonly dockerHost?: string;
}

/** What runs, without changing anything and without secrets. */
export async function environmentStatus(settings: Settings): Promise<EnvironmentStatus> {
  const all = findProcesses(settings).filter(({ name }) => name !== "build");
  const mains = new Map(all.filter(({ main }) => main).map((running) => [running.name, running]));
  const processes = processNames.map((name): ProcessStatus => {
    const running = mains.get(name);
    return running === undefined
      ? { name }
      : { name, pid: running.pid, residentMiB: Math.round(residentKiB(running.pid) / 1024) };
  });
  const serves = mains.has("kube-apiserver") && existsSync(kubeconfigPath(settings, "admin"));
  const ask = (question: Promise<string | undefined>) =>
    question.then((reason) => reason ?? "ready").catch((error: unknown) => String(error));
  const [node, dns] = serves
    ? await Promise.all([ask(nodeState(settings)), ask(dnsState(settings))])
    : ["no API server", "no API server"];
  const complete = processes.every(({ pid }) => pid !== undefined) && node === "ready" && dns === "ready";
  const described = existsSync(descriptorPath(settings.stateDir)) && complete;
  const podsKiB = cgroupProcesses().reduce((sum, pid) => sum + residentKiB(pid), 0);
  const empty = existsSync(settings.stateDir) ? "down" : "absent";
  return {
    state: described ? "up" : all.length > 0 ? "partial" : empty,
    processes,
    residentMiB: Math.round((all.reduce((sum, { pid }) => sum + residentKiB(pid), 0) + podsKiB) / 1024),
    podsMiB: Math.round(podsKiB / 1024),
    node,
    dns,
    ...(described
      ? { stacks: await stackStates(settings), ...(await synced(settings)), ...access(settings) }
      : {}),
  };
}

interface ApplicationList {
  readonly items: readonly {
    readonly metadata: { readonly name: string };
    readonly status?: {
      readonly sync?: { readonly status?: string; readonly revision?: string };
      readonly health?: { readonly status?: string };
    };
  }[];
}

async function synced(settings: Settings): Promise<Pick<EnvironmentStatus, "applications">> {
  const path = "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications";
  const found = (await readObject(settings, path).catch(() => undefined)) as ApplicationList | undefined;
  if (found === undefined) return {};
  const applications = found.items.map(({ metadata: { name }, status }) => ({
    name,
    sync: status?.sync?.status ?? "Unknown",
    health: status?.health?.status ?? "Unknown",
    ...(status?.sync?.revision ? { revision: status.sync.revision } : {}),
  }));
  return { applications };
}

function access(settings: Settings) {
  const { kubeconfig, docker, registry } = readDescriptor(settings.stateDir);
  return { kubeconfig, context: NAME, registry: registry.server, dockerHost: docker.host };
}
