import type * as pulumi from "@pulumi/pulumi";
import { type FluxInstall, fluxInstall } from "../../config/flux.ts";
import type { GitCredentials } from "../git.ts";
import { KubernetesObject } from "../resource.ts";
import { Flux, loadFluxManifests } from "./install.ts";
import { fluxName } from "./names.ts";
import { credentialsSecret, type FluxSource, gitRepository, kustomizations, permissions } from "./objects.ts";

export interface FluxStackArgs {
  readonly source: FluxSource;
  /** By what the cluster reads the repository. */
  readonly credentials: GitCredentials;
  /** How Flux is installed. null: it is there already. */
  readonly install: FluxInstall | null | undefined;
  /** Whether the platform is another stack's, which has installed it. */
  readonly isShared: boolean;
  /** What the workloads need before they are synced. */
  readonly needed: readonly pulumi.Resource[];
  readonly provider: pulumi.ProviderResource;
}

/** Has Flux sync a stack's folder of the repository. @returns what must be there before a commit is awaited */
export async function syncByFlux({
  source,
  credentials,
  install,
  isShared,
  needed,
  provider,
}: FluxStackArgs): Promise<pulumi.Resource> {
  const chosen = install === undefined && !isShared ? fluxInstall.parse({}) : install;
  const installed =
    chosen === undefined || chosen === null
      ? []
      : new Flux("flux", { manifests: await loadFluxManifests(chosen), images: chosen.images }, { provider })
          .objects;
  const options = { provider, dependsOn: [...installed] };
  const secret = new KubernetesObject("gitops-repository", credentialsSecret(source, credentials), options);
  const { account, role, binding } = permissions(source);
  const granted = [
    new KubernetesObject("gitops-account", account, options),
    new KubernetesObject("gitops-role", role, { provider, dependsOn: [...needed] }),
    new KubernetesObject("gitops-binding", binding, { provider, dependsOn: [...needed] }),
  ];
  const repository = new KubernetesObject("gitops-source", gitRepository(source), {
    provider,
    dependsOn: [...installed, secret],
  });
  return kustomizations(source).reduce<pulumi.Resource>((before, { metadata, ...object }) => {
    const name = metadata.name === fluxName(source.namespace) ? "gitops-sync" : "gitops-migrations";
    // Pulumi would wait until it is ready, for a commit that comes after it.
    const annotations = { "pulumi.com/skipAwait": "true" };
    const dependsOn = [before, ...granted, ...needed];
    return new KubernetesObject(
      name,
      { ...object, metadata: { ...metadata, annotations } },
      { provider, dependsOn },
    );
  }, repository);
}
