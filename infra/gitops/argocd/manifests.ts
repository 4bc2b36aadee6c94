import { type ArgocdInstall, defaultArgocdVersion } from "../../config/argocd.ts";
import { type Manifest, officialManifests } from "../manifests.ts";

export type { Manifest } from "../manifests.ts";

const releases = "https://raw.githubusercontent.com/argoproj/argo-cd";

const files = { core: "core-install.yaml", full: "install.yaml", ha: "ha/install.yaml" } as const;

/**
 * The official manifests of a release of Argo CD.
 *
 * @throws InputError when there is no such release, or it can neither be downloaded nor read
 */
export function loadManifests({
  mode,
  version = defaultArgocdVersion,
  manifests,
}: ArgocdInstall): Promise<Manifest[]> {
  return officialManifests({
    product: "Argo CD",
    key: "slipway:delivery.install",
    version,
    url: `${releases}/${version}/manifests/${files[mode]}`,
    defines: ["Applications", "applications.argoproj.io"],
    file: manifests,
  });
}
