import { z } from "zod";
import { configNamespace, stackSchema } from "./stack.ts";

/** In a stack's file a secret is what `pulumi config set --secret` wrote. */
const encrypted = {
  type: "object",
  properties: { secure: { type: "string" } },
  required: ["secure"],
  additionalProperties: false,
};

function allowEncrypted({ jsonSchema }: { jsonSchema: Record<string, unknown> }): void {
  if (jsonSchema.secret !== true) return;
  const { description, secret: _, ...plain } = jsonSchema;
  for (const key of Object.keys(jsonSchema)) delete jsonSchema[key];
  Object.assign(jsonSchema, {
    ...(description === undefined ? {} : { description }),
    anyOf: [plain, encrypted],
  });
}

/**
 * The JSON Schema of a Pulumi.<stack>.yaml, for editors. Committed as `stack.schema.json`; `npm run schema`
 * writes it.
 *
 * @param workloads names of the application's workloads
 */
export function stackFileSchema(workloads: readonly string[]): unknown {
  const { $schema, properties, required, ...rest } = z.toJSONSchema(
    stackSchema({ stack: "STACK", workloads }),
    { io: "input", unrepresentable: "any", override: allowEncrypted },
  ) as Record<string, unknown> & { properties: Record<string, Record<string, unknown>>; required?: string[] };
  // The default of the namespace is the stack's own name, which a schema for all stacks cannot know.
  delete properties.namespace?.default;
  const keyed = Object.fromEntries(
    Object.entries(properties).map(([key, schema]) => [`${configNamespace}:${key}`, schema]),
  );
  return {
    $schema,
    title: "Configuration of a Slipway stack",
    type: "object",
    properties: {
      config: {
        ...rest,
        properties: keyed,
        required: required?.map((key) => `${configNamespace}:${key}`) ?? [],
        // Other packages have keys of their own; an unknown one of ours is an error.
        additionalProperties: true,
        propertyNames: {
          anyOf: [{ enum: Object.keys(keyed) }, { not: { pattern: `^${configNamespace}:` } }],
        },
      },
    },
  };
}
