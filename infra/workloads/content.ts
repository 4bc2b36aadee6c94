import { createHash, scryptSync } from "node:crypto";
import type * as pulumi from "@pulumi/pulumi";
import type { ConfigValue, UrlOf } from "./definition.ts";
import { lift } from "./lift.ts";

/** Public addresses of workloads by name. */
export type Addresses = { readonly [workload: string]: pulumi.Input<string> };

function isUrlOf(value: ConfigValue): value is UrlOf {
  return typeof value === "object" && value !== null && "$urlOf" in value;
}

/** Names of the workloads whose address occurs in a value. */
export function addressesIn(value: ConfigValue): string[] {
  if (typeof value !== "object" || value === null) return [];
  if (isUrlOf(value)) return [value.$urlOf];
  return Object.values(value).flatMap((inner: ConfigValue) => addressesIn(inner));
}

function substitute(value: ConfigValue, addresses: { readonly [name: string]: string }): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (isUrlOf(value)) return addresses[value.$urlOf];
  if (Array.isArray(value)) return value.map((inner) => substitute(inner, addresses));
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, substitute(inner as ConfigValue, addresses)]),
  );
}

/** A value with its addresses filled in, as text: a string as it is, anything else as JSON. */
export function contentOf(value: ConfigValue, addresses: Addresses): pulumi.Input<string> {
  const used = Object.fromEntries(
    addressesIn(value).map((name) => [name, addresses[name] as pulumi.Input<string>]),
  );
  return lift(used, (known) => {
    const content = substitute(value, known);
    return typeof content === "string" ? content : `${JSON.stringify(content, null, 2)}\n`;
  });
}

function canonical(data: { readonly [key: string]: string }): string {
  return JSON.stringify(Object.entries(data).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Ten hexadecimal digits that change whenever the data does. */
export function contentHash(data: { readonly [key: string]: string }): string {
  return createHash("sha256").update(canonical(data)).digest("hex").slice(0, 10);
}

/** Every value of an object by its path, those that are only known later as they are. */
export function leavesOf(value: unknown, path = ""): Record<string, pulumi.Input<string>> {
  const isKnownLater =
    value instanceof Promise || (typeof value === "object" && value !== null && "apply" in value);
  if (isKnownLater) return { [path]: value as pulumi.Output<string> };
  if (typeof value !== "object" || value === null) return { [path]: String(value) };
  return Object.assign({}, ...Object.entries(value).map(([key, inner]) => leavesOf(inner, `${path}/${key}`)));
}

/**
 * The same for secret data. The digits are public, as a name, to people who may not read the Secret: scrypt
 * makes guessing a weak secret from them expensive.
 */
export function secretHash(salt: string, data: { readonly [key: string]: string }): string {
  return scryptSync(canonical(data), salt, 5).toString("hex");
}
