import { isEmbedded, type PlatformConfig } from "../config/platform.ts";

/** Name of the registry pull secret in every namespace. */
export const pullSecretName = "registry-pull";

/**
 * Whether the namespaces of a platform have a registry pull secret, as far as its configuration alone tells:
 * undefined where another stack decides.
 */
export function hasPullSecret(platform: PlatformConfig): boolean | undefined {
  switch (platform.kind) {
    case "local":
      // The embedded environment's registry asks everyone for a password.
      return isEmbedded(platform) || platform.registry?.username !== undefined;
    case "azure":
      return platform.registry.pull.kind !== "kubeletIdentity";
    case "shared":
      return undefined;
  }
}
