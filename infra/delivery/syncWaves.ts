import type { RenderableObject } from "./manifest.ts";

/** Kinds that the pods of a migration need. Argo CD applies what has no wave in wave 0. */
export const beforeMigration: readonly RenderableObject["kind"][] = [
  "ServiceAccount",
  "ConfigMap",
  "NetworkPolicy",
  "SecretProviderClass",
];

function inWave(object: RenderableObject, wave: number): RenderableObject {
  const annotations = { "argocd.argoproj.io/sync-wave": String(wave) };
  return { ...object, metadata: { ...object.metadata, annotations } } as RenderableObject;
}

/**
 * Has Argo CD run a workload's migration before everything else of it, once its pods can start: a wave begins when the
 * one before has succeeded, so a migration that fails leaves the pods of the last release alone.
 */
export function syncWaves(objects: readonly RenderableObject[]): readonly RenderableObject[] {
  if (!objects.some(({ kind }) => kind === "Job")) return objects;
  return objects.map((object) => {
    if (object.kind === "Job") return inWave(object, -1);
    return beforeMigration.includes(object.kind) ? inWave(object, -2) : object;
  });
}
