import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { AppliedWorkload } from "../cluster/release.ts";
import { ordinalEnds, type WorkloadObject } from "../workloads/build.ts";
import { podKinds } from "../workloads/podKinds.ts";

type Kind = WorkloadObject["kind"];
type ResourceClass = new (
  name: string,
  args: never,
  opts?: pulumi.CustomResourceOptions,
) => pulumi.CustomResource;

/** The Pulumi resource of each Kubernetes kind, and the end of its logical name. */
const kinds: { readonly [kind in Kind]: readonly [suffix: string, resource: ResourceClass] } = {
  ServiceAccount: ["service-account", kubernetes.core.v1.ServiceAccount],
  ConfigMap: ["config", kubernetes.core.v1.ConfigMap],
  Secret: ["secret", kubernetes.core.v1.Secret],
  SecretProviderClass: ["vault", kubernetes.apiextensions.CustomResource],
  NetworkPolicy: ["network-policy", kubernetes.networking.v1.NetworkPolicy],
  Service: ["service", kubernetes.core.v1.Service],
  PodDisruptionBudget: ["disruption-budget", kubernetes.policy.v1.PodDisruptionBudget],
  Job: ["migration", kubernetes.batch.v1.Job],
  Deployment: ["deployment", kubernetes.apps.v1.Deployment],
  AnalysisTemplate: ["analysis", kubernetes.apiextensions.CustomResource],
  Rollout: ["rollout", kubernetes.apiextensions.CustomResource],
  Ingress: ["ingress", kubernetes.networking.v1.Ingress],
  HorizontalPodAutoscaler: ["autoscaler", kubernetes.autoscaling.v2.HorizontalPodAutoscaler],
};

/** Kinds that a Deployment's pods need before they start. */
const prerequisites: readonly Kind[] = [
  "ServiceAccount",
  "ConfigMap",
  "Secret",
  "SecretProviderClass",
  "NetworkPolicy",
  "Job",
  "AnalysisTemplate",
];

/** Kinds that wait for those. */
const waiting: readonly string[] = [...Object.keys(podKinds), "Job", "AnalysisTemplate"];

/**
 * A Service is there once it has its address, and an Ingress at once, its address being its host name. By default Pulumi
 * waits for their pods too, and those may be waiting for this very address. Pods are awaited together (`Rollouts`).
 */
function awaitAddressOnly(object: WorkloadObject): WorkloadObject {
  if (object.kind !== "Service" && object.kind !== "Ingress" && !(object.kind in podKinds)) return object;
  const awaited: { [annotation: string]: string } =
    object.kind === "Service" && object.spec.type === "LoadBalancer"
      ? { "pulumi.com/waitFor": "jsonpath={.status.loadBalancer.ingress[0]}" }
      : { "pulumi.com/skipAwait": "true" };
  const metadata = object.metadata as { readonly annotations?: object };
  return {
    ...object,
    metadata: { ...metadata, annotations: { ...metadata.annotations, ...awaited } },
  } as WorkloadObject;
}

/** A migration that failed is run again by the next update, as a new Job. */
function replaceFailedJob(object: WorkloadObject): WorkloadObject {
  if (object.kind !== "Job") return object;
  const annotations = { "pulumi.com/replaceUnready": "true" };
  return { ...object, metadata: { ...object.metadata, annotations } } as WorkloadObject;
}

/** Pulumi keeps a Secret's data encrypted in its state and shows it nowhere. */
function markSecret(object: WorkloadObject): WorkloadObject {
  if (object.kind !== "Secret") return object;
  return { ...object, data: pulumi.secret(object.data) } as unknown as WorkloadObject;
}

function appliedWorkload(
  { apiVersion, kind }: WorkloadObject,
  created: pulumi.CustomResource,
): pulumi.Output<AppliedWorkload> {
  const { metadata } = created as kubernetes.apps.v1.Deployment;
  return metadata.apply(({ namespace, name, generation }) => ({
    apiVersion,
    kind,
    namespace,
    name,
    generation,
  }));
}

export interface PushedWorkloadArgs {
  readonly objects: readonly WorkloadObject[];
  /**
   * Where the workloads change hands: what ends another owner's hold on the objects, before any is applied. Pulumi then
   * leaves them in the cluster when it is told to forget them, all but Secrets.
   */
  readonly handover?: pulumi.Resource | undefined;
  /** What must be there before pods start. */
  readonly after?: readonly pulumi.Resource[];
}

/** One workload of the application: its Kubernetes objects, or those of them that Pulumi applies, as children. */
export class PushedWorkload extends pulumi.ComponentResource {
  readonly #name: string;
  readonly #service: kubernetes.core.v1.Service | undefined;
  readonly #pods: pulumi.Output<AppliedWorkload> | undefined;

  constructor(
    name: string,
    { objects, after = [], handover }: PushedWorkloadArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("slipway:delivery:Workload", name, {}, opts);
    const first = handover === undefined ? [] : [handover];
    const needed: pulumi.Resource[] = [...after];
    const progressive = objects.some(({ kind }) => kind === "Rollout");
    let service: kubernetes.core.v1.Service | undefined;
    let pods: pulumi.Output<AppliedWorkload> | undefined;
    const ends = ordinalEnds(objects);
    for (const [index, object] of objects.entries()) {
      const [suffix, resource] = kinds[object.kind];
      const created = new resource(
        `${name}-${suffix}${ends[index]}`,
        markSecret(replaceFailedJob(awaitAddressOnly(object))) as never,
        {
          parent: this,
          // Argo Rollouts adds the revision.
          ...(object.kind === "Service" && progressive ? { ignoreChanges: ["spec.selector"] } : {}),
          dependsOn: [...first, ...(waiting.includes(object.kind) ? needed : [])],
          ...(handover !== undefined && object.kind !== "Secret" ? { retainOnDelete: true } : {}),
        },
      );
      // A Service is applied without its revision, which Argo Rollouts must have put back before it sees new pods.
      if (prerequisites.includes(object.kind) || (progressive && object.kind === "Service"))
        needed.push(created);
      if (created instanceof kubernetes.core.v1.Service) service ??= created;
      if (object.kind in podKinds) pods = appliedWorkload(object, created);
    }
    this.#name = name;
    this.#pods = pods;
    this.#service = service;
    this.registerOutputs({ service: service?.metadata.name });
  }

  /** The Service among the objects, from which the workload's address comes. */
  get service(): kubernetes.core.v1.Service {
    if (this.#service === undefined) throw new Error(`${this.#name} has no Service`);
    return this.#service;
  }

  /** What its pods come from, once that is applied. */
  get pods(): pulumi.Output<AppliedWorkload> {
    if (this.#pods === undefined) throw new Error(`${this.#name} has no pods`);
    return this.#pods;
  }
}
