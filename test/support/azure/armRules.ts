/** What Azure Resource Manager checks of one type of resource, and what it answers. */
export interface ResourceRules {
  /** Properties that must be there. */
  readonly required: readonly string[];
  /** Properties of which azure-native itself knows that a change replaces the resource. */
  readonly immutable: readonly string[];
  /** Property that holds the resource's name, and the rule of the name. */
  readonly name: { readonly property: string; readonly pattern: RegExp; readonly rule: string };
  /** Id below the subscription. */
  readonly id: (inputs: Inputs) => string;
  /** Properties that Azure takes and never tells. */
  readonly writeOnly?: readonly string[];
  /** Properties that Azure refuses to change: what asks for another value must replace the resource itself. */
  readonly frozen?: readonly string[];
  /** Why Azure refuses to change the one into the other, if it does. */
  readonly transition?: (before: Inputs, after: Inputs) => string | undefined;
  /** What one operation at a time may change, by its Azure id, and what a second one is answered. */
  readonly exclusive?: {
    readonly id: (inputs: Inputs) => string;
    readonly refusal: (operation: string) => string;
  };
  /** Azure id of what must be there before it, besides its resource group. */
  readonly parent?: (inputs: Inputs) => string;
  /** Rules between properties; each a sentence that is broken. */
  readonly check?: (inputs: Inputs) => readonly { readonly property: string; readonly reason: string }[];
  /** What is known only once the resource exists. */
  readonly outputs?: (inputs: Inputs, id: string) => Record<string, unknown>;
}

// biome-ignore lint/suspicious/noExplicitAny: a provider sees inputs of every shape
export type Inputs = Record<string, any>;

export const subscription = "/subscriptions/00000000-0000-0000-0000-000000000001";
export const guid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const locations = ["westeurope", "northeurope", "eastus", "eastus2", "swedencentral", "germanywestcentral"];

export const location = (inputs: Inputs) =>
  locations.includes(inputs.location)
    ? []
    : [{ property: "location", reason: `LocationNotAvailableForResourceType: '${inputs.location}'` }];

export function inGroup(type: string, name: string) {
  return (inputs: Inputs) =>
    `${subscription}/resourceGroups/${inputs.resourceGroupName}/providers/${type}/${inputs[name]}`;
}

export const aksId = inGroup("Microsoft.ContainerService/managedClusters", "resourceName");
export const identityId = inGroup("Microsoft.ManagedIdentity/userAssignedIdentities", "resourceName");
export const registryId = inGroup("Microsoft.ContainerRegistry/registries", "registryName");

/** An id of this type, in full. */
export function mustBeId(property: string, id: unknown, type: string) {
  const pattern = new RegExp(
    `^/subscriptions/[^/]+/resourceGroups/[^/]+/providers/${type.replace(".", "\\.")}/[^/]+(/\\w+/[^/]+)?$`,
  );
  return typeof id === "string" && pattern.test(id)
    ? []
    : [{ property, reason: `LinkedInvalidPropertyId: '${id}' is not the id of a ${type}` }];
}

export function mustBe(holds: boolean, property: string, reason: string) {
  return holds ? [] : [{ property, reason }];
}
