import * as kubernetes from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";

export interface ClusterAccess {
  /** Content of a kubeconfig. Secret. */
  readonly kubeconfig: pulumi.Output<string>;
  /**
   * Names the cluster, whatever credentials reach it. Without one, a rotated kubeconfig would plan to replace
   * everything in the cluster.
   */
  readonly clusterIdentifier: pulumi.Input<string>;
  /** The cluster is gone for good once it does not answer, and nobody else delivers to it. */
  readonly disposable: boolean;
  /** Take over objects that this state does not know, in this run: another owner's, or what a destroyed stack has kept. */
  readonly takeOver?: boolean;
}

/** The provider of a stack's Kubernetes objects: what the program says is what runs, whoever changed it. */
export function clusterProvider(
  name: string,
  { kubeconfig, clusterIdentifier, disposable, takeOver = false }: ClusterAccess,
  opts?: pulumi.ResourceOptions,
): kubernetes.Provider {
  return new kubernetes.Provider(
    name,
    {
      kubeconfig,
      clusterIdentifier,
      enableServerSideApply: true,
      enablePatchForce: true,
      // A pull secret that changes is updated in place: replaced, it would be missing for a moment.
      enableSecretMutable: true,
      // Whether another cluster is lost, people say by PULUMI_K8S_DELETE_UNREACHABLE, which a false here would overrule.
      deleteUnreachable: disposable ? true : undefined,
      // An interrupted run, or another way to deliver, may have made what this state does not know.
      upsertExistingObjects: disposable || takeOver,
    },
    opts,
  );
}
