import { defaultRolloutsVersion, type RolloutsInstall } from "../config/strategy.ts";
import { placed } from "../gitops/controller.ts";
import { type Manifest, officialManifests } from "../gitops/manifests.ts";
import { rolloutsNamespace } from "../workloads/rollout.ts";

const releases = "https://github.com/argoproj/argo-rollouts/releases/download";

/**
 * The official manifests of a release of Argo Rollouts.
 *
 * @throws InputError when there is no such release, or it can neither be downloaded nor read
 */
export function loadRolloutsManifests({
  version = defaultRolloutsVersion,
  manifests,
}: RolloutsInstall): Promise<Manifest[]> {
  return officialManifests({
    product: "Argo Rollouts",
    key: "slipway:rollouts.install",
    version,
    url: `${releases}/${version}/install.yaml`,
    defines: ["Rollouts", "rollouts.argoproj.io"],
    file: manifests,
  });
}

interface PodSpec {
  readonly containers: readonly { readonly image: string }[];
}

function withImage(manifest: Manifest, image: string): Manifest {
  const spec = manifest.spec as { readonly template: { readonly spec: PodSpec } };
  const { template } = spec;
  const containers = template.spec.containers.map((container) => ({
    ...container,
    image,
    // The tag of a release never moves.
    imagePullPolicy: "IfNotPresent",
  }));
  return {
    ...manifest,
    spec: { ...spec, template: { ...template, spec: { ...template.spec, containers } } },
  };
}

/**
 * The objects of a release with the stack's choices made. Pure.
 *
 * @param ownerLabel by which its owner finds it again
 */
export function customizeRollouts(
  manifests: readonly Manifest[],
  { image, version = defaultRolloutsVersion }: RolloutsInstall,
  ownerLabel: { readonly [key: string]: string },
): Manifest[] {
  return manifests.map((manifest) => {
    const object = placed(manifest, rolloutsNamespace, ownerLabel);
    return object.kind === "Deployment"
      ? withImage(object, image ?? `quay.io/argoproj/argo-rollouts:${version}`)
      : object;
  });
}
