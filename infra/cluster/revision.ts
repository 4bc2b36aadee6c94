import type { V1Deployment, V1ReplicaSet } from "@kubernetes/client-node";
import { type Cluster, type KubeObject, nameOf } from "./cluster.ts";
import { appliedDefinition } from "./ownedFields.ts";

/** Labels by which the pods of one revision of a workload are told from those of another. */
const hashLabels = ["pod-template-hash", "rollouts-pod-template-hash"];
const revisionAnnotation = "deployment.kubernetes.io/revision";

/** Tells, on a workload whose last good revision was put back, which generation of its definition that took away. */
export const putBackAnnotation = "slipway.dev/put-back";

async function replicaSets(cluster: Cluster, workload: KubeObject): Promise<V1ReplicaSet[]> {
  const { namespace, name } = workload.metadata;
  const selector = (workload as unknown as V1Deployment).spec?.selector.matchLabels ?? {};
  const all = (await cluster.list("apps/v1", "ReplicaSet", selector, namespace)) as unknown as V1ReplicaSet[];
  return all.filter(({ metadata }) => metadata?.ownerReferences?.some((owner) => owner.name === name));
}

function hashOf(set: V1ReplicaSet | undefined): string | undefined {
  return hashLabels.map((label) => set?.metadata?.labels?.[label]).find((hash) => hash !== undefined);
}

/** What Argo Rollouts itself keeps of a Rollout's revisions. */
function argoStatus(workload: KubeObject): { readonly currentPodHash?: string; readonly stableRS?: string } {
  return (workload as { readonly status?: object }).status ?? {};
}

/** Revision that a workload is to run now, by the hash of its pods' template. */
export async function currentRevision(cluster: Cluster, workload: KubeObject): Promise<string | undefined> {
  if (workload.kind === "Rollout") return argoStatus(workload).currentPodHash;
  const wanted = ((workload.metadata.annotations ?? {}) as Record<string, string>)[revisionAnnotation];
  const sets = await replicaSets(cluster, workload);
  return hashOf(sets.find(({ metadata }) => metadata?.annotations?.[revisionAnnotation] === wanted));
}

/** Revision whose pods serve; of two, the one that has more of them. Nothing where none does. */
export async function servingRevision(cluster: Cluster, workload: KubeObject): Promise<string | undefined> {
  if (workload.kind === "Rollout") return argoStatus(workload).stableRS || undefined;
  const available = ({ status }: V1ReplicaSet) => status?.availableReplicas ?? 0;
  const sets = (await replicaSets(cluster, workload)).filter((set) => available(set) > 0);
  return hashOf(sets.sort((one, other) => available(other) - available(one))[0]);
}

/**
 * Has a workload run a former revision again, in the name of who owns its definition: the owner's next apply finds what
 * it would have left there itself.
 *
 * @returns the workload, or nothing where it runs that revision already, or the cluster has it no more
 */
export async function putBack(
  cluster: Cluster,
  workload: KubeObject,
  revision: string,
): Promise<KubeObject | undefined> {
  const live = await cluster.read(workload);
  if (live === undefined || (await currentRevision(cluster, live)) === revision) return undefined;
  const former = (await replicaSets(cluster, live)).find((set) => hashOf(set) === revision);
  const applied = appliedDefinition(live);
  if (former?.spec?.template === undefined) return undefined;
  if (applied === undefined) throw new Error(`${nameOf(live)} was not applied by this program`);
  const { labels: formerLabels, annotations } = former.spec.template.metadata ?? {};
  const labels = Object.fromEntries(
    Object.entries(formerLabels ?? {}).filter(([label]) => !hashLabels.includes(label)),
  );
  const { definition, manager } = applied;
  const result = await cluster.apply(
    {
      ...definition,
      metadata: {
        ...definition.metadata,
        annotations: {
          ...(definition.metadata.annotations as object | undefined),
          [putBackAnnotation]: String(live.metadata.generation),
        },
      },
      spec: {
        ...definition.spec,
        template: {
          metadata: { labels, ...(annotations === undefined ? {} : { annotations }) },
          spec: former.spec.template.spec,
        },
      },
    } as KubeObject,
    manager,
  );
  return result.live;
}
