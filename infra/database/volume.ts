import { InputError } from "../config/error.ts";
import type { Stack } from "../config/load.ts";
import { compareQuantities } from "../config/primitives.ts";
import type { Cluster } from "../platform/platform.ts";
import { workloadsWithDatabase } from "../workloads/database.ts";
import type { Application } from "../workloads/definition.ts";

/** Name of the claim that holds the data of a server in the cluster. */
export const claimName = "database-data";

/**
 * Finds out before anything is changed, where the cluster can be asked, that a volume would have to shrink.
 *
 * @throws InputError when the one that is there is larger than the configured one
 */
export async function checkVolume(
  application: Application,
  { config: { database, namespace } }: Stack,
  { read }: Cluster,
): Promise<void> {
  if (database.kind !== "inCluster" || workloadsWithDatabase(application).length === 0) return;
  const { storage } = database;
  const claim = (await read?.("v1", "PersistentVolumeClaim", namespace, claimName)) as
    | { readonly spec: { readonly resources: { readonly requests: { readonly storage: string } } } }
    | undefined;
  const current = claim?.spec.resources.requests.storage;
  if (current === undefined || compareQuantities(storage, current) >= 0) return;
  throw new InputError({
    key: "slipway:database.storage",
    value: storage,
    rule: `must not be less than the ${current} that the volume has`,
    hint: `Set it to ${current} or more: a volume cannot shrink`,
  });
}
