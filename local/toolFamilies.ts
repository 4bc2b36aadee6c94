/** Programs that are built together from the `tool` lines of one go.mod, `tools/<name>/go.mod`. */
export interface ToolFamily {
  readonly name: string;
  /** Names under which the programs are kept, where they differ from what Go calls them. */
  readonly rename?: Readonly<Record<string, string>>;
  readonly ldflags?: string;
  /** Files of a module that belong to its program, kept beside it by their base names. */
  readonly files?: { readonly module: string; readonly paths: readonly string[] };
  /** Space that a build from nothing takes in Go's caches and the result, in GiB, rounded up. */
  readonly diskGiB: number;
}

/** Version of Kubernetes in tools/kubernetes/go.mod; a test keeps the two equal. */
export const KUBERNETES_VERSION = "v1.35.4";

const [major = "", minor = ""] = KUBERNETES_VERSION.slice(1).split(".");
const versionPackage = "k8s.io/component-base/version";

export const kubernetesTools: ToolFamily = {
  name: "kubernetes",
  rename: { server: "etcd" },
  // Without these the programs call themselves v0.0.0-master, and clients refuse that.
  ldflags: Object.entries({
    gitVersion: KUBERNETES_VERSION,
    gitMajor: major,
    gitMinor: minor,
    gitTreeState: "clean",
  })
    .map(([key, value]) => `-X ${versionPackage}.${key}=${value}`)
    .join(" "),
  diskGiB: 8,
};

export const pauseTools: ToolFamily = { name: "pause", diskGiB: 1 };

export const volumesTools: ToolFamily = { name: "volumes", diskGiB: 1 };

/** Version of Argo CD in tools/argocd/go.mod; a test keeps the two equal. */
export const ARGOCD_VERSION = "v3.2.11";

/** One program that is every part of Argo CD, by the name that it is called by. */
export const argocdTools: ToolFamily = {
  name: "argocd",
  rename: { cmd: "argocd" },
  ldflags: `-X github.com/argoproj/argo-cd/v3/common.version=${ARGOCD_VERSION.slice(1)}`,
  files: {
    module: "github.com/argoproj/argo-cd/v3",
    paths: [
      "manifests/core-install.yaml",
      "manifests/install.yaml",
      "hack/gpg-wrapper.sh",
      "hack/git-verify-wrapper.sh",
    ],
  },
  diskGiB: 6,
};

/** Version of Argo Rollouts in tools/rollouts/go.mod; a test keeps the two equal. */
export const ROLLOUTS_VERSION = "v1.10.1";

/** The controller of canary and blue-green releases. */
export const rolloutsTools: ToolFamily = {
  name: "rollouts",
  ldflags: `-X github.com/argoproj/argo-rollouts/utils/version.version=${ROLLOUTS_VERSION}`,
  files: { module: "github.com/argoproj/argo-rollouts", paths: ["manifests/install.yaml"] },
  diskGiB: 6,
};

/** The real Helm, by which a rendered chart is tested and compared. */
export const helmTools: ToolFamily = { name: "helm", diskGiB: 2 };

/** Flux's controllers: a test runs them, and nothing else needs them. */
export const fluxSourceTools: ToolFamily = {
  name: "flux-source",
  files: {
    module: "github.com/fluxcd/source-controller",
    paths: ["buckets", "gitrepositories", "helmcharts", "helmrepositories", "ocirepositories"].map(
      (plural) => `config/crd/bases/source.toolkit.fluxcd.io_${plural}.yaml`,
    ),
  },
  diskGiB: 4,
};
export const fluxKustomizeTools: ToolFamily = {
  name: "flux-kustomize",
  files: {
    module: "github.com/fluxcd/kustomize-controller",
    paths: ["config/crd/bases/kustomize.toolkit.fluxcd.io_kustomizations.yaml"],
  },
  diskGiB: 4,
};

/** What checks and tries out the alert rules. */
export const promtoolTools: ToolFamily = { name: "promtool", diskGiB: 4 };
