import { setTimeout as sleep } from "node:timers/promises";
import type { Cluster, KubeObject } from "../../cluster/cluster.ts";
import { Fault } from "../../fault.ts";
import { stackLabels } from "../../workloads/labels.ts";
import { application } from "./application.ts";
import { applicationName, applicationSetName, argoApiVersion, argocdNamespace, stackFile } from "./names.ts";
import { applicationOf } from "./sync.ts";

/** Milliseconds between two looks. */
const interval = 200;

/** Seconds that the ApplicationSet has for it: it reads the repository anew whenever it is asked. */
const timeoutSeconds = 60;

/** Milliseconds after which the ApplicationSet is asked again. */
const patience = 5000;

export interface ApplicationSetArgs {
  readonly labels: { readonly [key: string]: string };
  /** URL at which the cluster reads the repository. */
  readonly url: string;
  readonly branch: string;
  /** Folder of the stacks' folders, with a slash at its end; empty for the repository's root. */
  readonly prefix: string;
}

/**
 * Makes an Application of each stack's folder, as the stack itself would: the file stack.yaml in it names the
 * namespace, and the AppProject of that name, which the stack made, says what it may do. A folder that goes takes its
 * Application with it, and leaves the workloads running.
 */
export function applicationSet({ labels, url, branch, prefix }: ApplicationSetArgs) {
  const { metadata, spec } = application({
    namespace: "{{ .namespace }}",
    labels: stackLabels({ project: "{{ .project }}", stack: "{{ .stack }}" }),
    url,
    branch,
    folder: "{{ .path.path }}",
    syncWindows: [],
    // The one template is for every stack.
    migrates: true,
  });
  return {
    apiVersion: argoApiVersion,
    kind: "ApplicationSet",
    metadata: { name: applicationSetName, namespace: argocdNamespace, labels },
    spec: {
      goTemplate: true,
      goTemplateOptions: ["missingkey=error"],
      generators: [{ git: { repoURL: url, revision: branch, files: [{ path: `${prefix}*/${stackFile}` }] } }],
      syncPolicy: { preserveResourcesOnDeletion: true },
      template: { metadata: { name: metadata.name, labels: metadata.labels }, spec },
    },
  };
}

const set: KubeObject = {
  apiVersion: argoApiVersion,
  kind: "ApplicationSet",
  metadata: { name: applicationSetName, namespace: argocdNamespace },
};

/** What hinders the ApplicationSet, in its own words. */
function troubleOf(live: KubeObject): string {
  const { conditions = [] } =
    (live as { readonly status?: { readonly conditions?: readonly Condition[] } }).status ?? {};
  return conditions
    .filter(({ type, status }) => type === "ErrorOccurred" && status === "True")
    .map(({ message }) => message)
    .join("\n");
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly message: string;
}

/**
 * Asks the ApplicationSet to look at the repository, until it has made a stack's Application.
 *
 * @throws Fault when there is no ApplicationSet, or it has made none in time
 */
export async function awaitApplication(cluster: Cluster, namespace: string): Promise<void> {
  const deadline = performance.now() + timeoutSeconds * 1000;
  let asked = Number.NEGATIVE_INFINITY;
  let trouble = "";
  while ((await cluster.read(applicationOf(namespace))) === undefined) {
    if (performance.now() - asked > patience) {
      asked = performance.now();
      const annotations = { "argocd.argoproj.io/application-set-refresh": "true" };
      const live = await cluster.merge({ ...set, metadata: { ...set.metadata, annotations } });
      if (live === undefined)
        throw new Fault({
          what: `ApplicationSet ${applicationSetName}`,
          rule: "must be in the cluster for a stack with slipway:delivery.applications: set",
          fix: "deploy the stack that installs Argo CD with the same setting, or set slipway:delivery.applications to own",
        });
      trouble = troubleOf(live);
    }
    if (performance.now() > deadline)
      throw new Fault({
        what: `Application ${applicationName(namespace)}`,
        rule: `must be made by the ApplicationSet ${applicationSetName} within ${timeoutSeconds} s`,
        log: trouble,
        fix: "deploy the stack that installs Argo CD with the same repository, or set slipway:delivery.applications to own",
      });
    await sleep(interval);
  }
}
