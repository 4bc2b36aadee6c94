import type { ArgocdInstall } from "../../config/argocd.ts";
import { placed } from "../controller.ts";
import type { Manifest } from "./manifests.ts";
import { argocdNamespace } from "./names.ts";

/** Name of the Secret with the client secret of sign-in. */
export const ssoSecretName = "argocd-sso";

export interface InstallSettings extends Pick<ArgocdInstall, "images" | "sso"> {
  /** Lines of known_hosts: the only servers that repositories are read from. Absent: none by SSH. */
  readonly knownHosts: string | undefined;
  /** Label by which its owner finds it again. */
  readonly ownerLabel: { readonly [key: string]: string };
}

interface Container {
  readonly image: string;
  readonly [field: string]: unknown;
}

function replaceImage({ image, ...rest }: Container, images: InstallSettings["images"]): Container {
  const own = /\/(argocd|redis|dex|haproxy):/.exec(`/${image}`)?.[1] as keyof typeof images | undefined;
  return {
    ...rest,
    image: (own === undefined ? undefined : images[own]) ?? image,
    // The tag of a release never moves.
    imagePullPolicy: "IfNotPresent",
  };
}

interface PodTemplate {
  readonly spec: {
    readonly containers: readonly Container[];
    readonly initContainers?: readonly Container[];
    readonly [field: string]: unknown;
  };
  readonly [field: string]: unknown;
}

function withImages(manifest: Manifest, images: InstallSettings["images"]): Manifest {
  const spec = manifest.spec as { readonly template?: PodTemplate } | undefined;
  const pod = spec?.template?.spec;
  if (pod?.containers === undefined) return manifest;
  const replace = (containers: readonly Container[]) =>
    containers.map((container) => replaceImage(container, images));
  return {
    ...manifest,
    spec: {
      ...spec,
      template: {
        ...spec?.template,
        spec: {
          ...pod,
          containers: replace(pod.containers),
          ...(pod.initContainers === undefined ? {} : { initContainers: replace(pod.initContainers) }),
        },
      },
    },
  };
}

/** Data of Argo CD's own ConfigMaps, beside what the release has in them. */
function configuration({ knownHosts, sso }: InstallSettings): {
  readonly [configMap: string]: { readonly [key: string]: string };
} {
  return {
    "argocd-cm": {
      "application.resourceTrackingMethod": "annotation",
      // By default it takes the recommended label app.kubernetes.io/instance, which the workloads have of their own, for
      // its own mark: it would call objects synced that it has never applied.
      "application.instanceLabelKey": "argocd.argoproj.io/instance",
      ...(sso === undefined
        ? {}
        : {
            url: sso.url,
            "admin.enabled": "false",
            "oidc.config": JSON.stringify({
              name: "SSO",
              issuer: sso.issuer,
              clientID: sso.clientId,
              clientSecret: `$${ssoSecretName}:clientSecret`,
              requestedScopes: ["openid", "profile", "email", "groups"],
            }),
          }),
    },
    "argocd-cmd-params-cm": {
      // By default, drift that comes back is healed after up to five minutes; here within five seconds.
      "controller.self.heal.backoff.cap.seconds": "4",
      // Seconds between two waves, by default 2. What is before a migration has no controller that would need them, and a
      // migration is waited for.
      "controller.sync.wave.delay.seconds": "0",
    },
    "argocd-rbac-cm": {
      ...(sso === undefined
        ? {}
        : { "policy.csv": sso.admins.map((group) => `g, ${JSON.stringify(group)}, role:admin\n`).join("") }),
    },
    // The release brings the keys of public hosts. Here only those count that the stack has pinned.
    "argocd-ssh-known-hosts-cm": { ssh_known_hosts: knownHosts ?? "" },
  };
}

function customized(manifest: Manifest, settings: InstallSettings): Manifest {
  const { kind, metadata } = manifest;
  if (kind === "ConfigMap") {
    const data = configuration(settings)[metadata.name];
    return data === undefined
      ? manifest
      : { ...manifest, data: { ...(manifest.data as object | undefined), ...data } };
  }
  if (kind === "ClusterRoleBinding") {
    const subjects = manifest.subjects as readonly object[];
    return {
      ...manifest,
      subjects: subjects.map((subject) => ({ ...subject, namespace: argocdNamespace })),
    };
  }
  return withImages(manifest, settings.images);
}

/** The objects of a release with the stack's choices made. Pure. */
export function customize(manifests: readonly Manifest[], settings: InstallSettings): Manifest[] {
  return manifests.map((manifest) =>
    placed(customized(manifest, settings), argocdNamespace, settings.ownerLabel),
  );
}
