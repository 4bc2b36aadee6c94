import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { application } from "../../infra/application.ts";
import { stackFileSchema } from "../../infra/config/jsonSchema.ts";

// Out of step? `npm run schema` writes it anew.
test("the committed JSON Schema is that of the configuration and the application", async () => {
  await expect(`${JSON.stringify(stackFileSchema(Object.keys(application)), null, 2)}\n`).toMatchFileSnapshot(
    "../../infra/config/stack.schema.json",
  );
});

test.each(["local", "dev", "prod"])(
  "Pulumi.%s.yaml names the schema, so that editors complete it",
  (stack) => {
    expect(readFileSync(new URL(`../../Pulumi.${stack}.yaml`, import.meta.url), "utf8")).toMatch(
      /^# yaml-language-server: \$schema=infra\/config\/stack\.schema\.json\n/,
    );
  },
);
