import type { types } from "@pulumi/kubernetes";
import { metadata } from "./labels.ts";
import type { Release } from "./release.ts";

/** An identity of its own for each workload; its token is mounted only where the definition says so. */
export function serviceAccount(release: Release) {
  const [vault] = release.vaults;
  return {
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: {
      ...metadata(release),
      ...(vault === undefined
        ? {}
        : { annotations: { "azure.workload.identity/client-id": vault.clientId } }),
    },
    automountServiceAccountToken: release.workload.exemptions?.serviceAccountToken ?? false,
  } satisfies types.input.core.v1.ServiceAccount;
}
