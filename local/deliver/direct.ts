import { setTimeout as sleep } from "node:timers/promises";
import type * as pulumi from "@pulumi/pulumi";
import { stackLabels } from "../../infra/workloads/labels.ts";
import { type Change, Cluster, type KubeObject, nameOf } from "./cluster.ts";
import { evaluateProgram } from "./evaluate.ts";
import { buildAndPush, dockerClient, type ImageInputs } from "./image.ts";
import { projectName, stackConfig } from "./project.ts";
import { prune } from "./prune.ts";
import { waitForRollout } from "./rollout.ts";
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
}

/** Resource types that exist in Pulumi's state only. */
function isComponent(type: string): boolean {
  return type.startsWith("slipway:") || type === "pulumi:pulumi:Stack";
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
  #dockerHost: string | undefined;

  constructor(report: Reporter) {
    this.#report = report;
  }

  call({ token }: pulumi.runtime.MockCallArgs): never {
    throw new Error(`direct delivery cannot answer ${token}`);
  }

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
    else if (type.startsWith("kubernetes:"))
      return { id: name, state: await this.#object(plain as unknown as KubeObject) };
    else throw new Error(`direct delivery knows no ${type} (${name})`);
    return { id: name, state: inputs };
  }

  async #image(name: string, inputs: ImageInputs): Promise<string> {
    const onLine = (line: string) => this.#report.progress(`image ${name}: ${line}`);
    return buildAndPush(name, inputs, dockerClient(this.#dockerHost, onLine));
  }

  async #object(object: KubeObject): Promise<KubeObject> {
    if (this.cluster === undefined) throw new Error(`${nameOf(object)} has no cluster`);
    this.#report.progress(nameOf(object));
    const { live, change } = await this.cluster.apply(object);
    this.applied.push(live);
    this.changes[change] += 1;
    if (live.kind !== "Deployment") return live;
    return waitForRollout(this.cluster, live, (summary) =>
      this.#report.progress(`${nameOf(live)}: ${summary}`),
    );
  }
}

export interface DirectOptions {
  readonly stack: string;
  readonly report: Reporter;
}

/**
 * Delivers a stack without the Pulumi CLI: runs the program, applies its objects by server-side apply, waits for
 * its Deployments, and, when all went well, deletes what left the program. Keeps no state.
 *
 * @throws the first error; nothing is deleted then, and pods that run keep running
 */
export async function deliverDirectly({ stack, report }: DirectOptions): Promise<Delivered> {
  const providers = new DirectProviders(report);
  const project = projectName();
  const outputs = await evaluateProgram({ project, stack, config: stackConfig(stack), mocks: providers });
  if (providers.cluster !== undefined) {
    const deleted = await prune(providers.cluster, providers.applied, stackLabels({ project, stack }));
    providers.changes.deleted = deleted.length;
  }
  return { outputs, changes: providers.changes };
}

/**
 * Deletes everything that a stack has in a cluster, and waits until its namespace is gone.
 *
 * @param kubeconfig content of a kubeconfig
 */
export async function destroyDirectly(kubeconfig: string, { stack, report }: DirectOptions): Promise<number> {
  const cluster = new Cluster(kubeconfig);
  const labels = stackLabels({ project: projectName(), stack });
  const deleted = await prune(cluster, [], labels);
  while ((await cluster.list("v1", "Namespace", labels)).length > 0) {
    report.progress("waiting for the namespace to be empty");
    await sleep(250);
  }
  return deleted.length;
}
