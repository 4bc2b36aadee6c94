// node script.js OBJECTS OUT PACKAGE: the bare loop, one file an object.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [, , objects, out, name] = process.argv;
const emit = {
  yaml: async () => (await import("yaml")).stringify,
  "js-yaml": async () => (await import("js-yaml")).dump,
  json: async () => JSON.stringify,
};
const stringify = await emit[name]();
for (const object of JSON.parse(readFileSync(objects, "utf8"))) {
  const folder = join(out, object.metadata.labels["app.kubernetes.io/name"]);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${object.kind.toLowerCase()}.yaml`), stringify(object));
}
