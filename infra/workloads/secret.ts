import type { types } from "@pulumi/kubernetes";
import { metadata } from "./labels.ts";
import type { Release } from "./release.ts";

/** The workload's secret environment variables, or nothing when it has none. A delivery marks its data secret. */
export function secret(release: Release) {
  if (release.secretName === undefined) return undefined;
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { ...metadata(release), name: release.secretName },
    immutable: true,
    type: "Opaque",
    data: Object.fromEntries(
      Object.entries(release.secretEnv).map(([name, value]) => [name, Buffer.from(value).toString("base64")]),
    ),
  } satisfies types.input.core.v1.Secret;
}
