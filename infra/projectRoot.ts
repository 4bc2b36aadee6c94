import { join, resolve } from "node:path";

/** The project's root, where Pulumi.yaml is. */
export const root = join(import.meta.dirname, "..");

/**
 * A path of the configuration or of a definition: relative to the project's root, in whichever directory the program runs.
 * Pulumi runs it in infra/, direct delivery in the root.
 */
export function fromRoot(path: string): string {
  return resolve(root, path);
}
