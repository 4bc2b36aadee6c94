import type { types } from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { secretHash } from "./content.ts";
import { metadata } from "./labels.ts";
import type { Release } from "./release.ts";

/** The Secret's name follows its content, as a ConfigMap's does. */
export function secretName(release: Release): string {
  return `${release.name}-secret-${secretHash(`${release.project}/${release.stack}/${release.name}`, release.secretEnv)}`;
}

/** The workload's secret environment variables, or nothing when it has none. */
export function secret(release: Release) {
  if (Object.keys(release.secretEnv).length === 0) return undefined;
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { ...metadata(release), name: secretName(release) },
    immutable: true,
    type: "Opaque",
    data: pulumi.secret(
      Object.fromEntries(
        Object.entries(release.secretEnv).map(([name, value]) => [
          name,
          Buffer.from(value).toString("base64"),
        ]),
      ),
    ),
  } satisfies types.input.core.v1.Secret;
}
