import * as resources from "@pulumi/azure-native/resources/index.js";
import type * as pulumi from "@pulumi/pulumi";

/**
 * A resource group whose name is known before it is there: an update of the group, of its tags say, must not preview as
 * the replacement of everything in it. Whatever is put into it depends on `resource`.
 */
export interface AzureResourceGroup {
  readonly name: string;
  readonly id: pulumi.Output<string>;
  readonly resource: pulumi.Resource;
}

/** Makes a resource group. */
export function resourceGroup(
  logicalName: string,
  args: {
    readonly name: string;
    readonly location: string;
    readonly tags: { readonly [name: string]: string };
  },
): AzureResourceGroup {
  const { name, location, tags } = args;
  const group = new resources.ResourceGroup(logicalName, { resourceGroupName: name, location, tags });
  return { name, id: group.id, resource: group };
}
