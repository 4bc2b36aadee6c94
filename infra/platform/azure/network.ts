import * as network from "@pulumi/azure-native/network/index.js";
import * as pulumi from "@pulumi/pulumi";
import type { AzureResourceGroup } from "./resourceGroup.ts";

export interface StackNetworkArgs {
  readonly resourceGroup: AzureResourceGroup;
  readonly location: string;
  readonly tags: { readonly [name: string]: string };
  /** End of the network's name. */
  readonly baseName: string;
  /** A block of /16: `10.240.0.0/16`. */
  readonly addressSpace: string;
}

/** The lower half of a block of /16 for nodes, and the first 256 addresses of the upper one for a database. */
export function subnetsOf(addressSpace: string): { readonly nodes: string; readonly database: string } {
  const [first, second] = addressSpace.split(".");
  return { nodes: `${first}.${second}.0.0/17`, database: `${first}.${second}.128.0/24` };
}

/** A virtual network with a subnet for the cluster's nodes, and one that is left to a database server. */
export class StackNetwork extends pulumi.ComponentResource {
  readonly id: pulumi.Output<string>;
  readonly nodesSubnetId: pulumi.Output<string>;
  readonly databaseSubnetId: pulumi.Output<string>;

  constructor(
    name: string,
    { resourceGroup, location, tags, baseName, addressSpace }: StackNetworkArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("slipway:azure:StackNetwork", name, {}, opts);
    const { nodes, database } = subnetsOf(addressSpace);
    const created = new network.VirtualNetwork(
      `${name}-network`,
      {
        resourceGroupName: resourceGroup.name,
        location,
        tags,
        virtualNetworkName: `vnet-${baseName}`,
        addressSpace: { addressPrefixes: [addressSpace] },
        // Within the network: Azure changes one subnet of it at a time.
        subnets: [
          { name: "nodes", addressPrefix: nodes },
          {
            name: "database",
            addressPrefix: database,
            // The server's log and backups go to Azure Storage.
            serviceEndpoints: [{ service: "Microsoft.Storage" }],
            delegations: [{ name: "postgres", serviceName: "Microsoft.DBforPostgreSQL/flexibleServers" }],
          },
        ],
      },
      {
        parent: this,
        dependsOn: [resourceGroup.resource],
        // Azure does not move a subnet that is in use.
        replaceOnChanges: ["addressSpace", "subnets"],
        deleteBeforeReplace: true,
      },
    );
    this.id = created.id;
    this.nodesSubnetId = pulumi.interpolate`${created.id}/subnets/nodes`;
    this.databaseSubnetId = pulumi.interpolate`${created.id}/subnets/database`;
    this.registerOutputs({ id: this.id });
  }
}
