import { setTimeout as sleep } from "node:timers/promises";
import type { V1Namespace } from "@kubernetes/client-node";
import type * as pulumi from "@pulumi/pulumi";
import { parse } from "yaml";
import { type Change, Cluster, type KubeObject, nameOf } from "../../infra/cluster/cluster.ts";
import { deleteFailedJob, waitForJob } from "../../infra/cluster/job.ts";
import { rollOut } from "../../infra/cluster/release.ts";
import { servingRevision } from "../../infra/cluster/revision.ts";
import { waitForRollout } from "../../infra/cluster/rollout.ts";
import { type RolloutsInputs, rolloutsType } from "../../infra/delivery/rollouts.ts";
import { Fault } from "../../infra/fault.ts";
import { takeFromArgocd } from "../../infra/gitops/argocd/handover.ts";
import type { Released, ReleaseInputs } from "../../infra/gitops/release.ts";
import { releaseType } from "../../infra/gitops/releaseResource.ts";
import { takeOverType } from "../../infra/gitops/takeOver.ts";
import { stackLabels } from "../../infra/workloads/labels.ts";
import { revisionLabel, selectorAnnotation } from "../../infra/workloads/newPodsService.ts";
import { podKinds } from "../../infra/workloads/podKinds.ts";
import { evaluateProgram } from "./evaluate.ts";
import { buildAndPush, dockerClient, type ImageInputs } from "./image.ts";
import { projectName, type RawConfig, withHandover } from "./project.ts";
import { prune } from "./prune.ts";
import { withoutSecretMarkers } from "./secrets.ts";

/** What a delivery reports while it runs. */
export interface Reporter {
  /** What is being done now, as one line. */
  readonly progress: (line: string) => void;
}

export interface Delivered {
  readonly outputs: Record<string, unknown>;
  /** Number of objects by what happened to them. */
  readonly changes: Record<Change | "deleted", number>;
  /** Rollouts that somebody has to promote. */
  readonly waiting: readonly string[];
}

/** Resource types that exist in Pulumi's state only. */
function isComponent(type: string): boolean {
  return type.startsWith("slipway:") || type === "pulumi:pulumi:Stack";
}

/** Whether the program says that Pulumi is not to wait for an object. */
function skipsAwait({ metadata }: KubeObject): boolean {
  const annotations = (metadata.annotations ?? {}) as { readonly [name: string]: string };
  return annotations["pulumi.com/skipAwait"] === "true";
}

/** An object as its cluster is to have it: what Pulumi's engine is told by annotations is of no use there. */
function withoutEngineAnnotations(object: KubeObject): KubeObject {
  const { annotations, ...metadata } = object.metadata as KubeObject["metadata"] & {
    readonly annotations?: { readonly [name: string]: string };
  };
  const others = Object.entries(annotations ?? {}).filter(([name]) => !name.startsWith("pulumi.com/"));
  if (others.length === 0) return { ...object, metadata };
  return { ...object, metadata: { ...metadata, annotations: Object.fromEntries(others) } } as KubeObject;
}

/** A Service with the revision that Argo Rollouts has added to its selector, which is applied as a whole. */
async function withRevision(cluster: Cluster, object: KubeObject): Promise<KubeObject> {
  const annotations = (object.metadata.annotations ?? {}) as { readonly [name: string]: string };
  if (!(selectorAnnotation in annotations)) return object;
  type WithSelector = { readonly spec: { readonly selector?: { readonly [label: string]: string } } };
  const { spec } = object as unknown as WithSelector;
  const live = (await cluster.read(object)) as unknown as WithSelector | undefined;
  const revision = live?.spec.selector?.[revisionLabel];
  if (revision === undefined) return object;
  const selector = { ...spec.selector, [revisionLabel]: revision };
  return { ...object, spec: { ...spec, selector } } as unknown as KubeObject;
}

/**
 * Answers for the providers by doing what they would do, without their state: images are built, objects applied
 * and awaited, each when what it depends on is there.
 */
class DirectProviders implements pulumi.runtime.Mocks {
  readonly applied: KubeObject[] = [];
  readonly changes: Delivered["changes"] = { created: 0, changed: 0, unchanged: 0, deleted: 0 };
  cluster: Cluster | undefined;
  readonly #report: Reporter;
  /** Revision of each workload that served when this run began. */
  readonly #served: Record<string, string> = {};
  #dockerHost: string | undefined;

  constructor(report: Reporter) {
    this.#report = report;
  }

  call({ token }: pulumi.runtime.MockCallArgs): never {
    throw new Error(`direct delivery cannot answer ${token}`);
  }

  /** Rollouts that somebody has to promote. */
  waiting: readonly string[] = [];

  /** The workloads' objects, where this run committed them for somebody else to apply. */
  released: readonly KubeObject[] | undefined;

  async newResource({
    type,
    name,
    inputs,
  }: pulumi.runtime.MockResourceArgs): Promise<pulumi.runtime.MockResourceResult> {
    const plain = withoutSecretMarkers(inputs) as Record<string, unknown>;
    if (isComponent(type)) return { id: name, state: plain };
    if (type === "pulumi:providers:kubernetes") this.cluster = new Cluster(plain.kubeconfig as string);
    else if (type === "pulumi:providers:docker") this.#dockerHost = plain.host as string | undefined;
    else if (type === "docker:index/image:Image")
      return {
        id: name,
        state: { ...inputs, repoDigest: await this.#image(name, plain as unknown as ImageInputs) },
      };
    else if (type === releaseType) return { id: name, state: { ...inputs, ...(await this.#release(plain)) } };
    else if (type === rolloutsType) await this.#rollOut(plain as unknown as RolloutsInputs);
    else if (type === takeOverType) await this.#takeOver(plain.namespace as string);
    else if (type.startsWith("kubernetes:helm.sh/"))
      throw new Fault({
        what: `the Helm chart ${String(plain.chart)}`,
        rule: "is installed by the Pulumi CLI only",
        fix: "run npm start -- --deliver pulumi, or remove it from slipway:observability",
      });
    else if (type.startsWith("kubernetes:"))
      return { id: name, state: await this.#object(plain as unknown as KubeObject) };
    else throw new Error(`direct delivery knows no ${type} (${name})`);
    return { id: name, state: inputs };
  }

  /** Without a state, the cluster itself tells what ran before. */
  async #noteServed(cluster: Cluster, workload: KubeObject): Promise<void> {
    const before = await cluster.read(workload);
    const revision = before === undefined ? undefined : await servingRevision(cluster, before);
    if (revision !== undefined) this.#served[workload.metadata.name] = revision;
  }

  async #image(name: string, inputs: ImageInputs): Promise<string> {
    const onLine = (line: string) => this.#report.progress(`image ${name}: ${line}`);
    return buildAndPush(name, inputs, dockerClient(this.#dockerHost, onLine));
  }

  async #takeOver(namespace: string): Promise<void> {
    if (this.cluster !== undefined) await takeFromArgocd(this.cluster, namespace);
  }

  async #rollOut({ workloads, atomic }: RolloutsInputs): Promise<void> {
    if (this.cluster === undefined) return;
    const goal = { workloads, atomic, before: this.#served };
    this.waiting = (await rollOut(this.cluster, goal, this.#report.progress)).waiting;
  }

  async #release(inputs: Record<string, unknown>): Promise<Released> {
    const { release } = await import("../../infra/gitops/release.ts");
    const { files } = inputs as unknown as ReleaseInputs;
    // What is no object, such as a Kustomization, has no metadata.
    this.released = Object.entries(files)
      .filter(([path]) => path.endsWith(".yaml"))
      .map(([, content]) => parse(content) as Partial<KubeObject>)
      .filter((document): document is KubeObject => document.metadata !== undefined);
    return release(inputs as unknown as ReleaseInputs, this.#report.progress);
  }

  async #object(object: KubeObject): Promise<KubeObject> {
    if (this.cluster === undefined) throw new Error(`${nameOf(object)} has no cluster`);
    this.#report.progress(nameOf(object));
    if (object.kind === "Job") await deleteFailedJob(this.cluster, object);
    const isAwaitedLater = skipsAwait(object);
    if (isAwaitedLater && object.kind in podKinds) await this.#noteServed(this.cluster, object);
    const { live, change } = await this.cluster.apply(
      await withRevision(this.cluster, withoutEngineAnnotations(object)),
    );
    this.applied.push(live);
    this.changes[change] += 1;
    const onProgress = (summary: string) => this.#report.progress(`${nameOf(live)}: ${summary}`);
    switch (live.kind) {
      case "CustomResourceDefinition":
        await this.cluster.established(live);
        return live;
      case "Deployment":
      case "StatefulSet":
        return isAwaitedLater ? live : waitForRollout(this.cluster, live, onProgress);
      case "Job":
        return waitForJob(this.cluster, live, onProgress);
      default:
        return live;
    }
  }
}

export interface DirectOptions {
  readonly stack: string;
  /** The stack's configuration by full key. */
  readonly config: RawConfig;
  readonly report: Reporter;
}

/**
 * Delivers a stack without the Pulumi CLI: runs the program, applies its objects by server-side apply, waits for
 * its Deployments, and, when all went well, deletes what left the program. Keeps no state.
 *
 * @throws the first error; nothing is deleted then, and pods that run keep running
 */
export async function deliverDirectly({ stack, config, report }: DirectOptions): Promise<Delivered> {
  const providers = new DirectProviders(report);
  const project = projectName();
  // Without state nobody knows how the stack was delivered before: whoever owns the workloads hands them over.
  const outputs = await evaluateProgram({
    project,
    stack,
    config: withHandover(config),
    mocks: providers,
  });
  if (providers.cluster !== undefined) {
    const deleted = await prune(providers.cluster, providers.applied, {
      project,
      stack,
      released: providers.released,
    });
    providers.changes.deleted = deleted.length;
  }
  return { outputs, changes: providers.changes, waiting: providers.waiting };
}

/**
 * Deletes everything that a stack has in a cluster, and waits until its namespace is gone.
 *
 * @param kubeconfig content of a kubeconfig
 */
export async function destroyDirectly(
  kubeconfig: string,
  { stack, report }: Pick<DirectOptions, "stack" | "report">,
): Promise<number> {
  const cluster = new Cluster(kubeconfig);
  const owner = { project: projectName(), stack };
  const labels = stackLabels(owner);
  for (const { metadata } of await cluster.list("v1", "Namespace", labels))
    await takeFromArgocd(cluster, metadata.name);
  const deleted = await prune(cluster, [], owner);
  const ending = new Set(
    deleted.filter(({ kind }) => kind === "Namespace").map(({ metadata }) => metadata.name),
  );
  await untilGone(cluster, labels, ending, report);
  return deleted.length;
}

/** Seconds until a namespace that does not empty is reported: pods have 30 to end, by default. */
const emptyingSeconds = 120;

/** Waits until namespaces are gone. @throws Fault with what is still in one that does not empty */
async function untilGone(
  cluster: Cluster,
  labels: { readonly [key: string]: string },
  names: ReadonlySet<string>,
  report: Reporter,
): Promise<void> {
  const begin = performance.now();
  for (;;) {
    const all = await cluster.list("v1", "Namespace", labels);
    const left = all.find(({ metadata }) => names.has(metadata.name));
    if (left === undefined) return;
    if (performance.now() - begin > emptyingSeconds * 1000) {
      const { status } = left as unknown as V1Namespace;
      const remaining = status?.conditions?.find(({ type }) => type === "NamespaceContentRemaining");
      throw new Fault({
        what: nameOf(left),
        value: remaining?.message ?? "is being deleted",
        rule: `must be empty within ${emptyingSeconds} seconds`,
        fix: "see with npm run status whether the node is ready, then run the same command again",
      });
    }
    report.progress("waiting for the namespace to be empty");
    await sleep(250);
  }
}
