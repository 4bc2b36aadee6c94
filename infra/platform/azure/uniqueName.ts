import { createHash } from "node:crypto";

/**
 * Ten letters and digits, the same for the same resource group and for no other in the world: some names are global.
 *
 * @param resourceGroupId Azure id, in any case
 */
export function uniqueEnd(resourceGroupId: string): string {
  return createHash("sha256").update(resourceGroupId.toLowerCase()).digest("hex").slice(0, 10);
}
