import { rmSync } from "node:fs";
import type { ListrTask, ListrTaskWrapper } from "listr2";
import { baseImageReference, buildBaseImage, loadBaseImage } from "./base-image.ts";
import { makeCgroups } from "./cgroups.ts";
import { applyClusterObjects, awaitCluster } from "./cluster.ts";
import { containerd } from "./components/containerd.ts";
import { apiServer, controllerManager, scheduler } from "./components/control-plane.ts";
import { docker, dockerSocket } from "./components/docker.ts";
import { etcd } from "./components/etcd.ts";
import { kubelet, kubeProxy } from "./components/node.ts";
import { registry, registryCredentials } from "./components/registry.ts";
import { volumes } from "./components/volumes.ts";
import { currentBoot, type Descriptor, descriptorPath, descriptorSchema } from "./descriptor.ts";
import { writeFileAtomic } from "./files.ts";
import { prepareHost } from "./host.ts";
import { loadToolImage, type ToolImage, toolImage } from "./images.ts";
import { checkMachine, checkNeighbours } from "./machine.ts";
import { makeNetwork } from "./network.ts";
import { claimOwnDir } from "./own-dir.ts";
import { installPackages, missingPackages } from "./packages.ts";
import { kubeconfigPath, makePki } from "./pki.ts";
import { buildPostgresImage, pushPostgresImage } from "./postgres-image.ts";
import { ensureProcess, findProcesses, type ProcessSpec, stopProcesses } from "./process.ts";
import { elapsed } from "./render.ts";
import { NAME, type Settings } from "./settings.ts";
import { kubernetesTools, pauseTools, volumesTools } from "./toolFamilies.ts";
import { provideTools, type Tools } from "./tools.ts";

/** What steps hand to later ones. */
export interface StartContext {
  tools?: Tools;
  pause?: Tools;
  volumes?: Tools;
  /** Image of PostgreSQL in the registry, by digest. */
  postgres?: string;
  /** Settled when containers can be run and images loaded. */
  containers?: Promise<void>;
  /** Time spent in the Go toolchain, in milliseconds. */
  compiling?: number;
  /** Argo CD, where the environment is to have what GitOps needs. */
  argocd?: Tools;
  /** How many processes had to be started; none when everything ran. */
  started?: number;
  descriptor?: Descriptor;
}

export interface StartOptions {
  /** Whether to bring up a Git server, and the images of Argo CD. */
  readonly gitops?: boolean;
  /** Whether to bring Argo Rollouts. */
  readonly rollouts?: boolean;
}

type Task = ListrTask<StartContext>;
// biome-ignore lint/suspicious/noExplicitAny: the renderer's own type parameters do not matter for a line of output
type Output = Pick<ListrTaskWrapper<StartContext, any, any>, "output">;

/**
 * The steps that bring the environment up, each of which first looks whether there is anything to do: an interrupted
 * start is resumed by starting again, and a second start only looks. To be run in order, under the lock.
 */
export function startTasks(
  settings: Settings,
  { gitops = false, rollouts = false }: StartOptions = {},
): Task[] {
  return [
    { title: "Check this machine", task: () => checkMachine(settings, { gitops, rollouts }) },
    {
      title: "Operating system packages",
      enabled: () => missingPackages(gitops).length > 0,
      task: async (_, task) => {
        const installed = await installPackages(gitops, report(task));
        task.title = `Operating system packages: ${installed.join(", ")}`;
        await checkNeighbours(settings);
      },
    },
    { title: "Network", task: () => prepareNetwork(settings) },
    {
      title: "Tools, images and containers",
      task: (_, task) =>
        task.newListr(
          [
            { title: "Kubernetes tools", task: (context, own) => buildTools(settings, context, own) },
            { title: "Containers and registry", task: (context) => startContainers(settings, context) },
            { title: "Base image", task: (context, own) => provideBaseImage(settings, context, own) },
            { title: "PostgreSQL", task: (context, own) => providePostgres(settings, context, own) },
          ],
          { concurrent: true },
        ),
    },
    {
      title: "Kubernetes",
      task: (_, task) =>
        task.newListr(
          [
            { title: "Control plane", task: (context) => startControlPlane(settings, context) },
            { title: "DNS image", task: (context) => loadToolImage(settings, dnsImage(context)) },
          ],
          { concurrent: true },
        ),
    },
    { title: "Node", task: (context) => startNode(settings, context) },
    { title: "Cluster DNS", task: (context) => finish(settings, context) },
    {
      title: "Argo Rollouts",
      enabled: () => rollouts,
      task: async (context, task) => {
        const { provideRollouts } = await import("./rollouts.ts");
        const begin = performance.now();
        await provideRollouts(settings, report(task));
        context.compiling = (context.compiling ?? 0) + performance.now() - begin;
      },
    },
    {
      title: "Argo CD",
      enabled: () => gitops,
      task: async (context, task) => {
        const { provideArgocd } = await import("./gitops/start.ts");
        const begin = performance.now();
        context.argocd = await provideArgocd(settings, report(task));
        context.compiling = (context.compiling ?? 0) + performance.now() - begin;
      },
    },
    {
      title: "Git server",
      enabled: () => gitops,
      task: async (context, task) => {
        const { startGitServer } = await import("./gitops/start.ts");
        await startGitServer(settings, built(context), built({ tools: context.argocd }), report(task));
      },
    },
  ];
}

/** Shows a step's progress and how long it has been at it. */
function report(task: Output): (line: string) => void {
  const begin = performance.now();
  return (line) => {
    task.output = `${line}  ${elapsed(performance.now() - begin)}`;
  };
}

async function prepareNetwork(settings: Settings): Promise<void> {
  for (const directory of [settings.stateDir, settings.runDir]) claimOwnDir(directory);
  await prepareHost(settings);
  makeCgroups();
  await makeNetwork(settings);
}

async function buildTools(settings: Settings, context: StartContext, task: Output): Promise<void> {
  const begin = performance.now();
  context.tools = await provideTools(settings, kubernetesTools, report(task));
  // After it: what the two have in common is compiled once.
  context.volumes = await provideTools(settings, volumesTools, report(task));
  context.compiling = performance.now() - begin;
}

/** Containers do not wait for Kubernetes to be compiled, and the base image is ready long before it is. */
function startContainers(settings: Settings, context: StartContext): Promise<void> {
  context.containers = (async () => {
    context.pause = await provideTools(settings, pauseTools, () => {});
    const image = toolImage(context.pause, "pause");
    await ensure(settings, context, containerd(settings, image.reference));
    const account = await registryCredentials(settings);
    await Promise.all([
      ensure(settings, context, docker(settings)).then(() => loadToolImage(settings, image)),
      ensure(settings, context, registry(settings, account)),
    ]);
  })();
  return context.containers;
}

async function provideBaseImage(settings: Settings, context: StartContext, task: Output): Promise<void> {
  await Promise.all([buildBaseImage(settings, report(task)), context.containers]);
  await loadBaseImage(settings);
}

async function providePostgres(settings: Settings, context: StartContext, task: Output): Promise<void> {
  await Promise.all([buildPostgresImage(settings, report(task)), context.containers]);
  context.postgres = await pushPostgresImage(settings, await registryCredentials(settings));
}

function dnsImage(context: StartContext): ToolImage {
  return toolImage(built(context), "coredns");
}

/** Processes that read the certificates when they start. */
const certified = [
  ...["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"],
  ...["kubelet", "kube-proxy", "volumes"],
];

async function startControlPlane(settings: Settings, context: StartContext): Promise<void> {
  const tools = built(context);
  if (await makePki(settings, tools))
    await stopProcesses(findProcesses(settings).filter(({ main, name }) => main && certified.includes(name)));
  await ensure(settings, context, etcd(settings, tools));
  await ensure(settings, context, apiServer(settings, tools));
  const clients = [controllerManager(settings, tools), scheduler(settings, tools)];
  await Promise.all(clients.map((spec) => ensure(settings, context, spec)));
}

async function startNode(settings: Settings, context: StartContext): Promise<void> {
  const tools = built(context);
  const specs = [
    kubelet(settings, tools),
    kubeProxy(settings, tools),
    volumes(settings, built({ tools: context.volumes })),
  ];
  await Promise.all(specs.map((spec) => ensure(settings, context, spec)));
}

async function finish(settings: Settings, context: StartContext): Promise<void> {
  const tools = built(context);
  await applyClusterObjects(settings, tools, dnsImage(context).reference);
  await awaitCluster(settings);
  context.descriptor = descriptorSchema.parse({
    kubeconfig: kubeconfigPath(settings, "admin"),
    context: NAME,
    docker: { host: `unix://${dockerSocket(settings)}`, network: "host" },
    registry: { server: `127.0.0.1:${settings.ports.registry}`, ...(await registryCredentials(settings)) },
    baseImage: baseImageReference(),
    postgresImage: context.postgres ?? "",
    address: "127.0.0.1",
    boot: currentBoot(),
  } satisfies Descriptor);
  writeFileAtomic(descriptorPath(settings.stateDir), `${JSON.stringify(context.descriptor, undefined, 2)}\n`);
}

async function ensure(settings: Settings, context: StartContext, spec: ProcessSpec): Promise<void> {
  if (!(await ensureProcess(settings, spec))) return;
  context.started = (context.started ?? 0) + 1;
  // Whoever reads it while something is being started would believe an environment that is not there yet.
  rmSync(descriptorPath(settings.stateDir), { force: true });
}

function built({ tools }: { readonly tools?: Tools | undefined }): Tools {
  if (tools === undefined) throw new Error("steps run out of order: no tools yet");
  return tools;
}
