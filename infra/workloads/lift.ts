import type * as pulumi from "@pulumi/pulumi";

/**
 * Computes from strings of which some may only be known later. When all are plain, so is the result: objects
 * built from plain values can be written to a file without a Pulumi engine, and without loading Pulumi's SDK.
 */
export function lift<Key extends string, U>(
  values: { readonly [key in Key]: pulumi.Input<string> },
  compute: (known: { readonly [key in Key]: string }) => U,
): pulumi.Input<U> {
  const later = Object.entries<pulumi.Input<string>>(values).find(([, value]) => typeof value !== "string");
  if (later === undefined) return compute(values as { readonly [key in Key]: string });
  const [key, value] = later as [Key, pulumi.Output<string> | Promise<string>];
  const whenKnown = (known: string) => lift({ ...values, [key]: known }, compute);
  // An Output and a Promise both flatten what is returned here, and an Output stays secret when its parts are.
  return value instanceof Promise
    ? (value.then(whenKnown) as Promise<U>)
    : (value.apply(whenKnown) as pulumi.Output<U>);
}
