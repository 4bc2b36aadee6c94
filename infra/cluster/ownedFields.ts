import type { KubeObject } from "./cluster.ts";

/** Fields as `metadata.managedFields` names them: https://kubernetes.io/docs/reference/using-api/server-side-apply/ */
interface FieldSet {
  readonly [path: string]: FieldSet;
}

interface ManagedFields {
  readonly manager?: string;
  readonly operation?: string;
  readonly subresource?: string;
  readonly fieldsV1?: FieldSet;
}

/** A definition as its owner last applied it, and the owner's name for the API server. */
export interface AppliedDefinition {
  readonly manager: string;
  readonly definition: KubeObject & { readonly spec: object };
}

function hasKeys(item: unknown, keys: object): boolean {
  return Object.entries(keys).every(
    ([key, value]) => (item as Record<string, unknown> | null)?.[key] === value,
  );
}

function extract(value: unknown, fields: FieldSet): unknown {
  const paths = Object.entries(fields).filter(([path]) => path !== ".");
  if (paths.length === 0) return value;
  if (Array.isArray(value))
    return paths.flatMap(([path, inner]) => {
      const key: unknown = JSON.parse(path.slice(2));
      if (path.startsWith("v:")) return value.includes(key) ? [key] : [];
      const item = value.find((candidate) => hasKeys(candidate, key as object));
      return item === undefined ? [] : [{ ...(key as object), ...(extract(item, inner) as object) }];
    });
  const known = value as Record<string, unknown>;
  return Object.fromEntries(
    paths
      .map(([path, inner]) => [path.slice(2), inner] as const)
      .filter(([name]) => known[name] !== undefined)
      .map(([name, inner]) => [name, extract(known[name], inner)]),
  );
}

/**
 * What the owner of an object's pod template has in it: who applies this again, with a change, changes that and nothing
 * else, and the owner's next apply replaces all of it.
 *
 * @returns nothing where nobody has applied it on the server's side
 */
export function appliedDefinition(live: KubeObject): AppliedDefinition | undefined {
  const managed = (live.metadata.managedFields ?? []) as readonly ManagedFields[];
  const own = managed.find(
    ({ operation, subresource, fieldsV1 }) =>
      operation === "Apply" &&
      (subresource ?? "") === "" &&
      fieldsV1?.["f:spec"]?.["f:template"] !== undefined,
  );
  if (own?.manager === undefined) return undefined;
  const { apiVersion, kind, metadata } = live;
  const { name, namespace } = metadata;
  const fields = extract(live, own.fieldsV1 ?? {}) as { metadata?: object; spec: object };
  return {
    manager: own.manager,
    definition: {
      ...fields,
      apiVersion,
      kind,
      metadata: { ...fields.metadata, name, ...(namespace === undefined ? {} : { namespace }) },
    },
  };
}
