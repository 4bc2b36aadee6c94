import type * as pulumi from "@pulumi/pulumi";
import { configMapName } from "./configMap.ts";
import type { Release } from "./release.ts";
import { vaultMountPath } from "./secretProviderClass.ts";

function fromSecret(secretName: pulumi.Input<string>, variables: object) {
  return Object.keys(variables).map((name) => ({
    name,
    valueFrom: { secretKeyRef: { name: secretName, key: name } },
  }));
}

/** Environment of a workload's containers. */
export function env(release: Release) {
  const { secretName, secretEnv, vaults, database, traces } = release;
  return [
    { name: "BUILD_NUMBER", value: release.image.version },
    { name: "POD_NAME", valueFrom: { fieldRef: { apiVersion: "v1", fieldPath: "metadata.name" } } },
    ...(traces === undefined
      ? []
      : [
          // The names that every SDK of OpenTelemetry reads.
          { name: "OTEL_EXPORTER_OTLP_ENDPOINT", value: traces },
          { name: "OTEL_SERVICE_NAME", value: release.name },
        ]),
    ...Object.entries(release.env).map(([name, value]) => ({ name, value })),
    ...(secretName === undefined ? [] : fromSecret(secretName, secretEnv)),
    ...vaults.flatMap((vault) => fromSecret(vault.name, vault.env)),
    ...(database === undefined ? [] : fromSecret(database.secretName, { DATABASE_URL: "" })),
  ];
}

/** Volumes of a workload's pods, each with its mount. */
export function volumes(release: Release) {
  const { config, writablePaths = [] } = release.workload;
  return [
    ...(config === undefined
      ? []
      : [
          {
            volume: { name: "config", configMap: { name: configMapName(release) } },
            mount: { name: "config", mountPath: config.mountPath, readOnly: true },
          },
        ]),
    ...release.vaults.map(({ vault, name: secretProviderClass }, index) => {
      const name = index === 0 ? "vault" : `vault-${index + 1}`;
      return {
        volume: {
          name,
          csi: {
            driver: "secrets-store.csi.k8s.io",
            readOnly: true,
            volumeAttributes: { secretProviderClass },
          },
        },
        mount: { name, mountPath: vaultMountPath(vault), readOnly: true },
      };
    }),
    ...writablePaths.map((mountPath, index) => ({
      volume: { name: `writable-${index}`, emptyDir: {} },
      mount: { name: `writable-${index}`, mountPath },
    })),
  ];
}

/** What a workload's container may not do. */
export function containerSecurity({ workload }: Release) {
  return {
    allowPrivilegeEscalation: false,
    capabilities: { drop: ["ALL"] },
    readOnlyRootFilesystem: !(workload.exemptions?.writableRootFilesystem ?? false),
  };
}

/** Who a workload's pods are, and how their images are pulled. */
export function podIdentity({ name, workload, pullSecret }: Release) {
  return {
    serviceAccountName: name,
    automountServiceAccountToken: workload.exemptions?.serviceAccountToken ?? false,
    enableServiceLinks: false,
    ...(pullSecret === undefined ? {} : { imagePullSecrets: [{ name: pullSecret }] }),
    securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
  };
}
