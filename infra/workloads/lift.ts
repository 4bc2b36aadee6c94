import * as pulumi from "@pulumi/pulumi";

/**
 * Computes from values of which some may only be known later. When all are plain, so is the result: objects
 * built from plain values can be written to a file without a Pulumi engine.
 */
export function lift<Key extends string, T, U>(
  values: { readonly [key in Key]: pulumi.Input<T> },
  compute: (known: { readonly [key in Key]: T }) => U,
): pulumi.Input<U> {
  const isPlain = Object.values(values).every(
    (value) => !pulumi.Output.isInstance(value) && !(value instanceof Promise),
  );
  if (isPlain) return compute(values as { readonly [key in Key]: T });
  return pulumi
    .all(values as Record<string, pulumi.Input<T>>)
    .apply((known) => compute(known as { readonly [key in Key]: T }));
}
