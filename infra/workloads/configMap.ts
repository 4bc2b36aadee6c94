import type { types } from "@pulumi/kubernetes";
import { contentHash } from "./content.ts";
import { metadata } from "./labels.ts";
import { lift } from "./lift.ts";
import type { Release } from "./release.ts";

/** The ConfigMap's name follows its content, so that a change rolls the pods and old pods keep what they started with. */
export function configMapName(release: Release) {
  return lift(release.configFiles, (files) => `${release.name}-config-${contentHash(files)}`);
}

/** The files that are mounted into the workload's containers, or nothing when it has none. */
export function configMap(release: Release) {
  if (release.workload.config === undefined) return undefined;
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { ...metadata(release), name: configMapName(release) },
    immutable: true,
    data: release.configFiles,
  } satisfies types.input.core.v1.ConfigMap;
}
