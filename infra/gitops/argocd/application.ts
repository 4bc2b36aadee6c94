import type { SyncWindow } from "../../config/argocd.ts";
import type { RenderableObject } from "../../delivery/manifest.ts";
import { revisionLabel } from "../../workloads/newPodsService.ts";
import { applicationName, argoApiVersion, argocdNamespace, stackFile } from "./names.ts";

/** API group of each kind that is rendered: Argo CD may manage these in the stack's namespace, and nothing else. */
const groups: { readonly [kind in RenderableObject["kind"]]: string } = {
  ServiceAccount: "",
  ConfigMap: "",
  NetworkPolicy: "networking.k8s.io",
  Service: "",
  Ingress: "networking.k8s.io",
  PodDisruptionBudget: "policy",
  Job: "batch",
  Deployment: "apps",
  AnalysisTemplate: "argoproj.io",
  Rollout: "argoproj.io",
  HorizontalPodAutoscaler: "autoscaling",
  SecretProviderClass: "secrets-store.csi.x-k8s.io",
};

/** The cluster that Argo CD runs in. */
const server = "https://kubernetes.default.svc";

export interface ApplicationArgs {
  /** Namespace of the stack's workloads. */
  readonly namespace: string;
  readonly labels: { readonly [key: string]: string };
  /** URL at which the cluster reads the repository. */
  readonly url: string;
  readonly branch: string;
  /** The stack's folder in it. */
  readonly folder: string;
  readonly syncWindows: readonly SyncWindow[];
  /** Whether a workload has a migration. */
  readonly migrates: boolean;
}

function metadata({ namespace, labels }: ApplicationArgs) {
  return { name: applicationName(namespace), namespace: argocdNamespace, labels };
}

/** What the stack's Application may do: its own repository, namespace and kinds. */
export function appProject(args: ApplicationArgs) {
  const { namespace, url, syncWindows } = args;
  return {
    apiVersion: argoApiVersion,
    kind: "AppProject",
    metadata: metadata(args),
    spec: {
      description: `Workloads of the namespace ${namespace}`,
      sourceRepos: [url],
      destinations: [{ server, namespace }],
      clusterResourceWhitelist: [],
      namespaceResourceWhitelist: Object.entries(groups).map(([kind, group]) => ({ group, kind })),
      ...(syncWindows.length === 0
        ? {}
        : { syncWindows: syncWindows.map((window) => ({ ...window, applications: ["*"] })) }),
    },
  };
}

/**
 * The stack's workloads as Argo CD syncs them: what is not in the repository is deleted, what is changed by hand is
 * changed back. It has no finalizer, so deleting it leaves the workloads running.
 */
export function application(args: ApplicationArgs) {
  const { namespace, url, branch, folder, migrates } = args;
  return {
    apiVersion: argoApiVersion,
    kind: "Application",
    metadata: metadata(args),
    spec: {
      project: applicationName(namespace),
      source: {
        repoURL: url,
        targetRevision: branch,
        path: folder,
        // Plain objects, without running Kustomize over them.
        directory: { recurse: true, exclude: `{${stackFile},kustomization.yaml,**/kustomization.yaml}` },
      },
      destination: { server, namespace },
      syncPolicy: {
        automated: { enabled: true, prune: true, selfHeal: true },
        syncOptions: [
          "ServerSideApply=true",
          // Old pods need their ConfigMap until the last of them is gone.
          "PruneLast=true",
          "RespectIgnoreDifferences=true",
          // By default each sync applies every object twice, the first time as a dry run; this, those that differ. A
          // migration does not differ once it has begun: a sync that is tried again would not wait for it, nor see it fail.
          ...(migrates ? [] : ["ApplyOutOfSyncOnly=true"]),
        ],
        // By default a failed sync stays with its commit, and a fix waits until its last retry.
        retry: { limit: 5, refresh: true, backoff: { duration: "3s", factor: 1, maxDuration: "3s" } },
      },
      // Argo Rollouts writes the revision into the selectors of Services.
      ignoreDifferences: [{ group: "", kind: "Service", jsonPointers: [`/spec/selector/${revisionLabel}`] }],
      revisionHistoryLimit: 5,
    },
  };
}
