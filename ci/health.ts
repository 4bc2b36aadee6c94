import { setTimeout as sleep } from "node:timers/promises";
import { ApiException, type V1Deployment } from "@kubernetes/client-node";
import { Cluster, type KubeObject } from "../infra/cluster/cluster.ts";
import { awaitsPromotion } from "../infra/cluster/progress.ts";
import { Fault } from "../infra/fault.ts";
import type { Application } from "../infra/workloads/definition.ts";
import { podKinds } from "../infra/workloads/podKinds.ts";
import type { Outputs } from "./stack.ts";

/** Milliseconds between two looks. */
const interval = 250;

/** Why a Deployment or a Rollout does not run an image in all its pods, if it does not. */
function unhealthy(name: string, reference: string, workload: KubeObject | undefined): string | undefined {
  if (workload === undefined) return `${name}: has no Deployment`;
  // A Rollout's spec and status have what is looked at in a Deployment's.
  const { spec, status, metadata } = workload as unknown as V1Deployment;
  const images = spec?.template.spec?.containers.map(({ image }) => image) ?? [];
  if (!images.includes(reference)) return `${name}: runs ${images.join(", ")}`;
  const wanted = spec?.replicas ?? 1;
  const available = status?.availableReplicas ?? 0;
  // Its new pods are there, and a person decides when they take over.
  if (workload.kind === "Rollout" && awaitsPromotion(workload)) return undefined;
  const settled =
    // A Rollout's is text.
    Number(status?.observedGeneration ?? 0) >= (metadata?.generation ?? 0) &&
    (status?.updatedReplicas ?? 0) === wanted &&
    (status?.replicas ?? 0) === wanted;
  return settled && available >= wanted ? undefined : `${name}: ${available} of ${wanted} pods are available`;
}

/** Why nothing came of a request. */
function reason(error: unknown): string {
  if (error instanceof ApiException) return `HTTP ${error.code}`;
  const { cause, message } = error as Error & { readonly cause?: { readonly code?: string } };
  return cause?.code ?? message;
}

/** What there is that has pods, or why the cluster does not tell. */
async function podOwners(
  cluster: Cluster,
  namespace: string,
): Promise<{ readonly workloads: KubeObject[] } | { readonly problem: string }> {
  try {
    const lists = await Promise.all(
      Object.entries(podKinds).map(([kind, apiVersion]) => cluster.list(apiVersion, kind, {}, namespace)),
    );
    return { workloads: lists.flat() };
  } catch (error) {
    // An API server that restarts is back in a moment.
    return { problem: `the cluster does not answer: ${reason(error)}` };
  }
}

/** Why a URL does not answer as it should, if it does not. */
async function silent(name: string, url: string): Promise<string | undefined> {
  try {
    const { status } = await fetch(url, {
      redirect: "manual",
      headers: { connection: "close" },
      signal: AbortSignal.timeout(5000),
    });
    return status >= 200 && status < 400 ? undefined : `${name}: ${url} answers HTTP ${status}`;
  } catch (error) {
    return `${name}: ${url} does not answer (${reason(error)})`;
  }
}

/** URLs of the workloads' readiness, as far as one outside of the cluster reaches them. */
export function smokeUrls(application: Application, urls: Outputs["urls"]): [name: string, url: string][] {
  return Object.entries(urls).flatMap(([name, url]): [string, string][] => {
    const path = application[name]?.readiness.path;
    return path === undefined || new URL(url).hostname.endsWith(".svc") ? [] : [[name, `${url}${path}`]];
  });
}

/**
 * What keeps a stack from running its images: pods of other images or not available, URLs or a cluster that do not
 * answer. In the cluster and from outside, whoever delivers.
 *
 * @param cluster of an earlier look, which knows by then what kinds there are
 */
export async function problems(
  application: Application,
  outputs: Outputs,
  cluster?: Cluster,
): Promise<string[]> {
  const { kubeconfig, namespace, images, urls } = outputs;
  if (kubeconfig === undefined || namespace === undefined) return ["the stack has not been deployed"];
  if (Object.keys(images).length === 0) return ["the stack runs no build yet"];
  const found = await podOwners(cluster ?? new Cluster(kubeconfig), namespace);
  const pods =
    "problem" in found
      ? [found.problem]
      : Object.entries(images).map(([name, { reference }]) =>
          unhealthy(
            name,
            reference,
            found.workloads.findLast(({ metadata }) => metadata.name === name),
          ),
        );
  const answers = await Promise.all(smokeUrls(application, urls).map(([name, url]) => silent(name, url)));
  return [...pods, ...answers].filter((problem) => problem !== undefined);
}

/** Waits until a stack runs its images and answers. @throws Fault with what is wrong when the time is over */
export async function waitUntilHealthy(
  stack: string,
  application: Application,
  outputs: Outputs,
  { seconds, report }: { readonly seconds: number; readonly report: (line: string) => void },
): Promise<void> {
  const deadline = Date.now() + seconds * 1000;
  const cluster = outputs.kubeconfig === undefined ? undefined : new Cluster(outputs.kubeconfig);
  let reported = "";
  for (;;) {
    const found = await problems(application, outputs, cluster);
    if (found.length === 0) return;
    const line = found.join("; ");
    if (line !== reported) report(line);
    reported = line;
    if (Date.now() > deadline) {
      throw new Fault({
        what: `stack ${stack}`,
        rule: `must run its images and answer within ${seconds} s of its deployment`,
        log: found.join("\n"),
        fix: `see why, or put the build before back: npm run rollback -- --stack ${stack}`,
      });
    }
    await sleep(interval);
  }
}
