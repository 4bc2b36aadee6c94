import * as pulumi from "@pulumi/pulumi";
import type { ArgocdConfig, GitopsConfig } from "../config/delivery.ts";
import { application, appProject } from "../gitops/argocd/application.ts";
import { applicationSet } from "../gitops/argocd/applicationSet.ts";
import { ArgoCd } from "../gitops/argocd/install.ts";
import { applicationSetSecret, repositorySecret } from "../gitops/argocd/repositorySecret.ts";
import { commitMessage } from "../gitops/message.ts";
import { Release } from "../gitops/releaseResource.ts";
import { type ManifestsRepository, manifestsRepository } from "../gitops/repository.ts";
import { KubernetesObject } from "../gitops/resource.ts";
import { sourceCommit } from "../images/buildNumber.ts";
import { pullSecretName } from "../platform/pullSecret.ts";
import { workloadsWithDatabase } from "../workloads/database.ts";
import { stackLabels } from "../workloads/labels.ts";
import { fixedUrls } from "./addresses.ts";
import type { Delivery } from "./index.ts";
import { PushedWorkload } from "./push.ts";
import { renderApplication } from "./render.ts";
import { type Shipment, shippedObjects } from "./shipment.ts";

/** Secrets are never committed: Pulumi applies them, under the names that they have when it applies everything. */
function applySecrets(shipment: Shipment, addresses: Readonly<Record<string, string>>): pulumi.Resource[] {
  const { provider } = shipment.platform.cluster;
  return Object.keys(shipment.application).flatMap((name) => {
    const secrets = shippedObjects(shipment, name, addresses).filter(({ kind }) => kind === "Secret");
    return secrets.length === 0 ? [] : [new PushedWorkload(name, { objects: secrets }, { provider })];
  });
}

function renderedFiles(
  { application: workloads, stack, images, platform, secretNames }: Shipment,
  repository: ManifestsRepository,
  addresses: Readonly<Record<string, string>>,
): pulumi.Output<Record<string, string>> {
  const pullSecret = platform.registry.pull === undefined ? {} : { pullSecret: pullSecretName };
  return pulumi.output({ images, vaultAccess: platform.vaultAccess }).apply((known) => {
    const access = known.vaultAccess === undefined ? {} : { vaultAccess: known.vaultAccess };
    const image = platform.databaseImage === undefined ? {} : { databaseImage: platform.databaseImage };
    const values = { images: known.images, addresses, secretNames, ...pullSecret, ...access, ...image };
    const files = renderApplication(workloads, stack, values);
    return Object.fromEntries(files.map(({ path, content }) => [`${repository.prefix}${path}`, content]));
  });
}

/** What both engines sync, and from where. */
function placeOf({ application: workloads, stack }: Shipment, { url, branch, folder }: ManifestsRepository) {
  const labels = stackLabels({ project: stack.project, stack: stack.name });
  const migrates = workloadsWithDatabase(workloads).length > 0;
  return { namespace: stack.config.namespace, labels, url, branch, folder, migrates };
}

/** Has Argo CD sync the stack's folder. Gives what must be there before a commit is awaited. */
function syncByArgocd(
  shipment: Shipment,
  config: ArgocdConfig,
  repository: ManifestsRepository,
  needed: readonly pulumi.Resource[],
): pulumi.Resource {
  const { stack, platform } = shipment;
  const { provider } = platform.cluster;
  const place = { ...placeOf(shipment, repository), syncWindows: config.syncWindows };
  const controller = shipment.controllers.argocd;
  const argocd =
    controller === undefined
      ? undefined
      : new ArgoCd(
          "argocd",
          {
            manifests: controller.manifests,
            images: controller.install.images,
            sso: controller.install.sso,
            knownHosts: repository.pull.kind === "ssh" ? repository.pull.knownHosts : undefined,
            labels: place.labels,
            project: stack.project,
            stack: stack.name,
          },
          { provider },
        );
  const options = { provider, dependsOn: argocd === undefined ? [] : [...argocd.objects] };
  const access = new KubernetesObject("gitops-repository", repositorySecret(place, repository.pull), options);
  const project = new KubernetesObject("gitops-project", appProject(place), {
    provider,
    dependsOn: [...options.dependsOn, access],
  });
  const own = { provider, dependsOn: [project, ...needed] };
  if (config.applications === "own")
    return new KubernetesObject("gitops-application", application(place), own);
  if (controller === undefined) return project;
  const { prefix } = repository;
  const reading = new KubernetesObject(
    "gitops-applications-repository",
    applicationSetSecret(place, repository.pull),
    options,
  );
  return new KubernetesObject("gitops-applications", applicationSet({ ...place, prefix }), {
    provider,
    dependsOn: [...own.dependsOn, reading],
  });
}

/** Has the engine that the stack's configuration names sync its folder. */
async function syncByEngine(
  shipment: Shipment,
  config: GitopsConfig,
  repository: ManifestsRepository,
  needed: readonly pulumi.Resource[],
): Promise<pulumi.Resource> {
  switch (config.engine) {
    case "argocd":
      return syncByArgocd(shipment, config, repository, needed);
    case "flux": {
      const { syncByFlux } = await import("../gitops/flux/index.ts");
      return syncByFlux({
        source: { ...placeOf(shipment, repository), timeoutSeconds: config.timeoutSeconds },
        credentials: repository.pull,
        controller: shipment.controllers.flux,
        needed,
        provider: shipment.platform.cluster.provider,
      });
    }
  }
}

/**
 * The workloads are committed to a repository, from which the engine syncs them. Pulumi owns the rest: namespace,
 * Secrets, the engine, and what it may do for this stack.
 */
export async function gitops(shipment: Shipment, config: GitopsConfig): Promise<Delivery> {
  const { stack, platform, namespace, images } = shipment;
  const repository = manifestsRepository(config, stack.name);
  const addresses = fixedUrls(shipment.application, stack.config, platform.cluster);
  const secrets = applySecrets(shipment, addresses);
  const args = {
    engine: config.engine,
    remote: { url: repository.pushUrl, credentials: repository.push },
    branch: repository.branch,
    folder: repository.folder,
    files: renderedFiles(shipment, repository, addresses),
    message: pulumi.output(images).apply((known) => commitMessage(stack.name, known, sourceCommit())),
    author: config.author,
    ...(config.signingKey === undefined ? {} : { signingKey: config.signingKey }),
    prOnly: config.prOnly,
    atomic: config.atomic,
    kubeconfig: platform.cluster.kubeconfig,
    namespace: stack.config.namespace,
    timeoutSeconds: config.timeoutSeconds,
    fromSet: config.engine === "argocd" && config.applications === "set",
  };
  // The folder may be of long ago: whoever syncs it must find what is delivered now.
  const commitment = new Release(
    "commit",
    { ...args, wait: false },
    { dependsOn: [namespace, ...secrets, ...shipment.databases.ready] },
  );
  const synced = await syncByEngine(shipment, config, repository, [commitment, ...shipment.rollouts]);
  const release = new Release("release", { ...args, wait: true }, { dependsOn: [synced] });
  const urls = Object.entries(addresses).map(
    ([name, url]) => [name, release.commit.apply(() => url)] as const,
  );
  const { commit, branch, proposed } = release;
  return { urls: Object.fromEntries(urls), release: pulumi.output({ commit, branch, proposed }) };
}
