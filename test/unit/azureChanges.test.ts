import { expect, test } from "vitest";
import { z } from "zod";
import { azurePlatform } from "../../infra/config/azure.ts";
import { inPlace, others, replacingCluster, replacingMore, replacingPool } from "../support/azure/changes.ts";

interface Schema {
  readonly properties?: { readonly [key: string]: Schema };
  readonly additionalProperties?: Schema | boolean;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
}

/** Keys of a schema that hold a value; a map's are `*`. */
function keysOf({ properties = {}, additionalProperties, anyOf = [], oneOf = [] }: Schema): string[] {
  const below = (key: string, schema: Schema) => {
    const inner = keysOf(schema);
    return inner.length === 0 ? [key] : inner.map((rest) => `${key}.${rest}`);
  };
  return [
    ...Object.entries(properties).flatMap(([key, schema]) => below(key, schema)),
    ...(typeof additionalProperties === "object" ? below("*", additionalProperties) : []),
    ...[...anyOf, ...oneOf].flatMap(keysOf),
  ].filter((key, index, all) => all.indexOf(key) === index);
}

test("the engine's tests change every key of the platform", () => {
  const changed = [...inPlace, ...replacingPool, ...replacingCluster, ...replacingMore].map(({ key }) =>
    key.replace(/^(cluster\.userPools|keyVaults)\.[^.]+/, "$1.*"),
  );
  const schema = z.toJSONSchema(azurePlatform, { io: "input" }) as Schema;
  // Tags are a map of the user's own names.
  const keys = keysOf(schema).map((key) => key.replace("tags.*", "tags"));
  expect([...new Set([...changed, ...Object.keys(others)])].sort()).toEqual(keys.sort());
});
