import { metadata } from "./labels.ts";
import type { Release } from "./release.ts";

/** Where the pods see their secrets as files, by environment variable. The driver keeps these current. */
export const vaultMountPath = "/mnt/secrets-store";

/**
 * What the Secrets Store CSI driver mounts of the workload's Key Vault, and makes a Secret of for environment
 * variables; or nothing where the workload refers to none. No version is asked for: the driver follows the vault, and
 * the versions in the object's name roll the pods at the next run.
 */
export function secretProviderClass(release: Release) {
  const { vault } = release;
  if (vault === undefined) return undefined;
  const variables = Object.entries(vault.env);
  // An entry of the driver's list is a document of its own; JSON is YAML.
  const objects = variables.map(([objectAlias, objectName]) =>
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
      secretObjects: [
        {
          secretName: vault.name,
          type: "Opaque",
          data: variables.map(([key]) => ({ objectName: key, key })),
        },
      ],
    },
  };
}
