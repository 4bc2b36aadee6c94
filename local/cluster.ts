import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { KubeObject } from "../infra/cluster/cluster.ts";
import { progressOf } from "../infra/cluster/progress.ts";
import { Fault } from "../infra/fault.ts";
import { clusterObjects } from "./components/cluster-objects.ts";
import { podNameservers } from "./components/node.ts";
import { kubeconfigTls } from "./components/tls.ts";
import { digestOf, readIfPresent, writeFileAtomic } from "./files.ts";
import { get } from "./http.ts";
import { kubeconfigPath } from "./pki.ts";
import { logPath, tail } from "./process.ts";
import { run } from "./run.ts";
import { NAME, type Settings } from "./settings.ts";
import type { Tools } from "./tools.ts";

const NODE_DEADLINE_SECONDS = 120;
const DNS_DEADLINE_SECONDS = 180;
const DEPLOYMENT_DEADLINE_SECONDS = 120;

/** Applies the cluster's own objects, unless these very ones were applied before. */
export async function applyClusterObjects(settings: Settings, tools: Tools, dnsImage: string): Promise<void> {
  const objects = clusterObjects(dnsImage, podNameservers().length > 0);
  const marker = join(settings.stateDir, "cluster-objects");
  if (readIfPresent(marker) === digestOf(objects)) return;
  await applyObjects(settings, tools, objects);
  writeFileAtomic(marker, digestOf(objects));
}

/** Applies objects, as YAML, by server-side apply. */
export async function applyObjects(settings: Settings, tools: Tools, objects: string): Promise<void> {
  const kubeconfig = kubeconfigPath(settings, "admin");
  // A context of its own even for the cache that kubectl keeps: nothing is read from or written to ~/.kube.
  const args = ["--kubeconfig", kubeconfig, "--cache-dir", join(settings.runDir, "kubectl")];
  const apply = ["apply", "--server-side", "--force-conflicts", "--field-manager", NAME, "-f", "-"];
  await run(join(tools.bin, "kubectl"), [...args, ...apply], {
    input: objects,
    env: { HOME: settings.stateDir },
  });
}

/** Waits until the node is ready and DNS answers. */
export async function awaitCluster(settings: Settings): Promise<void> {
  await until("the node", NODE_DEADLINE_SECONDS, logPath(settings, "kubelet"), () => nodeState(settings));
  await until("CoreDNS", DNS_DEADLINE_SECONDS, logPath(settings, "kubelet"), () => dnsState(settings));
}

async function until(
  what: string,
  seconds: number,
  log: string,
  state: () => Promise<string | undefined>,
): Promise<void> {
  const limit = performance.now() + seconds * 1000;
  for (;;) {
    const reason = await state().catch((error: unknown) => String(error));
    if (reason === undefined) return;
    if (performance.now() > limit) {
      throw new Fault({
        what,
        value: reason,
        rule: `must be ready within ${seconds} s`,
        log: tail(log, 12),
        fix: `see ${log}`,
      });
    }
    await sleep(100);
  }
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly message?: string;
}

/** Undefined when the node is ready, else why not. */
export async function nodeState(settings: Settings): Promise<string | undefined> {
  const node = (await readObject(settings, `/api/v1/nodes/${NAME}`)) as
    | { status?: { conditions?: Condition[] } }
    | undefined;
  if (node === undefined) return "not there";
  const ready = node.status?.conditions?.find(({ type }) => type === "Ready");
  if (ready === undefined) return "no condition Ready yet";
  return ready.status === "True" ? undefined : (ready.message ?? ready.status);
}

/** Undefined when cluster DNS is available, else why not. */
export async function dnsState(settings: Settings): Promise<string | undefined> {
  return deploymentState(settings, { namespace: "kube-system", name: "coredns" });
}

interface Named {
  readonly namespace: string;
  readonly name: string;
}

/** By the pods, not by the condition Available: a Deployment that was just given pods again still has that of none. */
async function deploymentState(settings: Settings, { namespace, name }: Named): Promise<string | undefined> {
  const live = await readObject(settings, `/apis/apps/v1/namespaces/${namespace}/deployments/${name}`);
  if (live === undefined) return "not there";
  const { done, summary } = progressOf(live as KubeObject, 0);
  return done ? undefined : summary;
}

/** Waits until a Deployment of the environment's own is available. */
export async function awaitDeployment(settings: Settings, deployment: Named): Promise<void> {
  const log = logPath(settings, "kubelet");
  await until(deployment.name, DEPLOYMENT_DEADLINE_SECONDS, log, () => deploymentState(settings, deployment));
}

/** An object by its path in the API; undefined when there is none. */
export async function readObject(settings: Settings, path: string): Promise<unknown> {
  const tls = kubeconfigTls(kubeconfigPath(settings, "admin"));
  const { status, body } = await get({ url: `https://127.0.0.1:${settings.ports.apiServer}${path}`, tls });
  if (status === 404) return undefined;
  if (status !== 200) throw new Error(`the API server answers ${status}`);
  return JSON.parse(body);
}
