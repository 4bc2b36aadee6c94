import { location, type ResourceRules, registryId } from "./armRules.ts";
import { clusterRules } from "./clusterRules.ts";
import { databaseRules } from "./databaseRules.ts";
import { identityRules } from "./identityRules.ts";
import { monitoringRules } from "./monitoringRules.ts";
import { tokenRules } from "./tokenRules.ts";

/** A failure that Azure shows: before it makes the resource, or when that is there but never gets ready. */
export interface Failure {
  readonly message: string;
  readonly made?: boolean;
}

/** What the double's cluster and registry really are: the embedded environment. */
export interface Backing {
  readonly registry: { readonly server: string; readonly username: string; readonly password: string };
  /** Kubeconfig of the cluster without a user, as AKS gives it. */
  readonly kubeconfig: string;
  /** PostgreSQL that stands in for every database server; without one, servers are there in name only. */
  readonly postgres?: {
    /** Name by which pods reach it. */
    readonly host: string;
    /** Command that runs the SQL of its standard input as a superuser. */
    readonly psql: readonly [string, ...string[]];
  };
}

/** The types that the program uses. Another one is an error: it would go untested. */
export function rulesOf(backing: Backing): Readonly<Record<string, ResourceRules>> {
  const { registry } = backing;
  return {
    ...identityRules,
    ...clusterRules,
    ...tokenRules,
    ...monitoringRules,
    ...databaseRules(backing),
    "azure-native:containerregistry:Registry": {
      required: ["resourceGroupName", "sku"],
      immutable: ["resourceGroupName", "registryName", "location"],
      name: { property: "registryName", pattern: /^[a-zA-Z0-9]{5,50}$/, rule: "5-50 letters and digits" },
      id: registryId,
      check: location,
      outputs: (inputs) => ({ name: inputs.registryName, loginServer: registry.server }),
    },
  };
}
