import { ApiException, CustomObjectsApi, KubeConfig } from "@kubernetes/client-node";
import type { Outputs } from "./stack.ts";

/** An Argo CD Application, as far as its status matters here. */
interface Application {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly destination?: { readonly namespace?: string } };
  readonly status?: {
    readonly sync?: { readonly status?: string };
    readonly health?: { readonly status?: string };
    readonly resources?: readonly {
      readonly kind: string;
      readonly name: string;
      readonly status?: string;
    }[];
  };
}

function problemsOf({ metadata, status }: Application): string[] {
  const sync = status?.sync?.status ?? "Unknown";
  const health = status?.health?.status ?? "Unknown";
  const differing = (status?.resources ?? [])
    .filter((resource) => resource.status !== undefined && resource.status !== "Synced")
    .map(({ kind, name }) => `${kind} ${name}`);
  return [
    ...(sync === "Synced"
      ? []
      : [
          `Application ${metadata.name}: is ${sync}${differing.length === 0 ? "" : ` (${differing.join(", ")})`}`,
        ]),
    ...(health === "Healthy" ? [] : [`Application ${metadata.name}: is ${health}`]),
  ];
}

/** What Argo CD says is not as in Git, of the Applications that deliver to a stack's namespace. None where it is not there. */
export async function argoProblems(stack: string, { kubeconfig, namespace }: Outputs): Promise<string[]> {
  if (kubeconfig === undefined || namespace === undefined) return [];
  const config = new KubeConfig();
  config.loadFromString(kubeconfig);
  try {
    const { items } = (await config.makeApiClient(CustomObjectsApi).listCustomObjectForAllNamespaces({
      group: "argoproj.io",
      version: "v1alpha1",
      resourcePlural: "applications",
    })) as { items: Application[] };
    return items.filter(({ spec }) => spec.destination?.namespace === namespace).flatMap(problemsOf);
  } catch (error) {
    // No Argo CD in this cluster, or not one that this user may look at: then it delivers nothing for this stack.
    if (error instanceof ApiException && [403, 404].includes(error.code)) return [];
    throw new Error(`stack ${stack}: the cluster does not tell of its Applications`, { cause: error });
  }
}
