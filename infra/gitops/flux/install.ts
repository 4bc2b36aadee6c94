import * as pulumi from "@pulumi/pulumi";
import type { FluxInstall } from "../../config/flux.ts";
import { installObjects } from "../controller.ts";
import { type Manifest, officialManifests } from "../manifests.ts";

const releases = "https://github.com/fluxcd/flux2/releases/download";

/** The controllers that a stack needs, of those in a release. */
const components = ["source-controller", "kustomize-controller"];

/** Flux's own mark of what belongs to which controller. */
const componentLabel = "app.kubernetes.io/component";

/**
 * The official manifests of a release of Flux.
 *
 * @throws InputError when there is no such release, or it can neither be downloaded nor read
 */
export function loadFluxManifests({ version, manifests }: FluxInstall): Promise<Manifest[]> {
  return officialManifests({
    product: "Flux",
    key: "slipway:delivery.install",
    version,
    url: `${releases}/${version}/install.yaml`,
    defines: ["Kustomizations", "kustomizations.kustomize.toolkit.fluxcd.io"],
    file: manifests,
  });
}

interface Container {
  readonly name: string;
  readonly image: string;
  readonly args?: readonly string[];
}

interface DeploymentSpec {
  readonly template: { readonly spec: { readonly containers: readonly Container[] } };
}

/** Arguments besides the release's own. */
const furtherArgs: { readonly [component: string]: readonly string[] } = {
  // A fix must not wait until the health checks of the commit that it fixes have timed out; and no stack reads another's source.
  "kustomize-controller": [
    "--feature-gates=CancelHealthCheckOnNewRevision=true",
    "--no-cross-namespace-refs=true",
  ],
};

function customizeDeployment(manifest: Manifest, images: FluxInstall["images"]): Manifest {
  const spec = manifest.spec as DeploymentSpec;
  const name = manifest.metadata.name;
  const image = { "source-controller": images.source, "kustomize-controller": images.kustomize }[name];
  const containers = spec.template.spec.containers.map((container) =>
    container.name === "manager"
      ? {
          ...container,
          image: image ?? container.image,
          args: [...(container.args ?? []), ...(furtherArgs[name] ?? [])],
        }
      : container,
  );
  return {
    ...manifest,
    spec: { ...spec, template: { ...spec.template, spec: { ...spec.template.spec, containers } } },
  };
}

/** What is installed of a release: the source and kustomize controllers, and what all of Flux needs. */
export function customizeFlux(manifests: readonly Manifest[], images: FluxInstall["images"]): Manifest[] {
  return manifests
    .filter(({ metadata }) => {
      const component = metadata.labels?.[componentLabel];
      return component === undefined || components.includes(component);
    })
    .map((manifest) => (manifest.kind === "Deployment" ? customizeDeployment(manifest, images) : manifest));
}

export interface FluxArgs {
  /** The release's own manifests. */
  readonly manifests: readonly Manifest[];
  readonly images: FluxInstall["images"];
}

/** Flux in its own namespace, from a release's official manifests. */
export class Flux extends pulumi.ComponentResource {
  /** All of it: what needs Flux waits for these. */
  readonly objects: readonly pulumi.Resource[];

  constructor(name: string, { manifests, images }: FluxArgs, opts?: pulumi.ComponentResourceOptions) {
    super("slipway:gitops:Flux", name, {}, opts);
    this.objects = installObjects(name, customizeFlux(manifests, images), this);
    this.registerOutputs({});
  }
}
