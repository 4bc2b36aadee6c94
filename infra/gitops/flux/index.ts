import type * as pulumi from "@pulumi/pulumi";
import type { FluxInstall } from "../../config/flux.ts";
import type { Controller } from "../../controllers.ts";
import type { GitCredentials } from "../git.ts";
import { KubernetesObject } from "../resource.ts";
import { Flux } from "./install.ts";
import { fluxName } from "./names.ts";
import { credentialsSecret, type FluxSource, gitRepository, kustomizations, permissions } from "./objects.ts";

export interface FluxStackArgs {
  readonly source: FluxSource;
  /** By what the cluster reads the repository. */
  readonly credentials: GitCredentials;
  /** Flux, where this stack installs it. */
  readonly controller: Controller<FluxInstall> | undefined;
  /** What the workloads need before they are synced. */
  readonly needed: readonly pulumi.Resource[];
  readonly provider: pulumi.ProviderResource;
}

/** Has Flux sync a stack's folder of the repository. @returns what must be there before a commit is awaited */
export function syncByFlux({
  source,
  credentials,
  controller,
  needed,
  provider,
}: FluxStackArgs): pulumi.Resource {
  const installed =
    controller === undefined
      ? []
      : new Flux("flux", { manifests: controller.manifests, images: controller.install.images }, { provider })
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
