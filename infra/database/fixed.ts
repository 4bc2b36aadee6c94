import type { DatabaseConfig } from "../config/database.ts";
import type { FixedChoices } from "../platform/replacement.ts";

/** Types of the components: each knows the other as what it has been. */
export const types = {
  inCluster: "slipway:database:DatabaseServer",
  azure: "slipway:database:FlexibleServer",
} as const;

const loses = "the database server, with all data in it";

/** Choices of a database that a change of would lose, or that Azure does not change. */
export function databaseChoices(config: DatabaseConfig): FixedChoices {
  const kind = { "slipway:database.kind": { value: config.kind, loses } };
  if (config.kind !== "azure") return kind;
  return {
    ...kind,
    "slipway:database.access.kind": { value: config.access.kind, loses },
    "slipway:database.geoRedundantBackup": { value: String(config.geoRedundantBackup), loses },
    "slipway:database.version": { value: config.version, loses, onlyGrows: true },
    "slipway:database.storageGb": { value: String(config.storageGb), loses, onlyGrows: true },
  };
}

/** The same choices as Azure names them, for Pulumi to replace what Azure would refuse to change. */
export const serverReplaceOnChanges = ["network.delegatedSubnetResourceId", "backup.geoRedundantBackup"];
