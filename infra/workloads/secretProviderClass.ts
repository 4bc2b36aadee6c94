import { tlsSecretName } from "./ingress.ts";
import { metadata } from "./labels.ts";
import type { Release, VaultMount } from "./release.ts";

/** Where the pods see the secrets of a vault as files, by environment variable. The driver keeps these current. */
export function vaultMountPath(vault: string): string {
  return `/mnt/secrets-store/${vault}`;
}

/** What the certificate is called among the files. */
const certificateFile = "tls.pem";

function secretObjects({ name }: Release, vault: VaultMount) {
  const variables = Object.keys(vault.env);
  return [
    ...(variables.length === 0
      ? []
      : [
          {
            secretName: vault.name,
            type: "Opaque",
            data: variables.map((key) => ({ objectName: key, key })),
          },
        ]),
    ...(vault.certificate === undefined
      ? []
      : [
          {
            secretName: tlsSecretName(name),
            type: "kubernetes.io/tls",
            data: ["tls.key", "tls.crt"].map((key) => ({ objectName: certificateFile, key })),
          },
        ]),
  ];
}

/**
 * What the Secrets Store CSI driver mounts of each of the workload's Key Vaults, and makes Secrets of, for environment
 * variables and for the ingress controller. No version is asked for: the driver follows
 * the vault, and the versions in the object's name roll the pods at the next run.
 */
export function secretProviderClasses(release: Release) {
  return release.vaults.map((vault) => secretProviderClass(release, vault));
}

function secretProviderClass(release: Release, vault: VaultMount) {
  const mounted = [
    ...Object.entries(vault.env),
    ...(vault.certificate === undefined ? [] : [[certificateFile, vault.certificate] as const]),
  ];
  // An entry of the driver's list is a document of its own; JSON is YAML. A certificate's key is in the secret beside it.
  const objects = mounted.map(([objectAlias, objectName]) =>
    JSON.stringify({ objectName, objectType: "secret", objectAlias }),
  );
  return {
    apiVersion: "secrets-store.csi.x-k8s.io/v1",
    kind: "SecretProviderClass" as const,
    metadata: { ...metadata(release), name: vault.name },
    spec: {
      provider: "azure",
      parameters: {
        keyvaultName: vault.vault,
        clientID: vault.clientId,
        tenantId: vault.tenantId,
        usePodIdentity: "false",
        objects: JSON.stringify({ array: objects }),
      },
      secretObjects: secretObjects(release, vault),
    },
  };
}
