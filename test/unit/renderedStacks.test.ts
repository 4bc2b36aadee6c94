import "../support/offline.ts";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { parse } from "yaml";
import { application } from "../../infra/application.ts";
import { renderApplication } from "../../infra/delivery/render.ts";
import { readOfflineStack } from "../../local/manifests/offlineStack.ts";
import { readOutputs, resolveValues } from "../../local/manifests/values.ts";
import { runProgram } from "../support/program.ts";
import { temporaryDirectory } from "../support/temporary.ts";

vi.mock("../../infra/images/buildNumber.ts", () => ({ buildNumber: () => "0123456789" }));

function render(stack: string, values?: string) {
  const offline = readOfflineStack(stack, application);
  const outputs = readOutputs(values === undefined ? {} : { values }, stack, application);
  const resolved = resolveValues(application, offline, outputs);
  const files = renderApplication(application, offline, resolved.values, offline.seals);
  return { files, unresolved: resolved.unresolved };
}

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly annotations?: Record<string, string> };
}

/** An object without the annotations by which Pulumi and Argo CD are told how to wait for it. */
function withoutWaiting(object: Manifest): Manifest {
  const { annotations = {}, ...metadata } = object.metadata;
  const own = Object.entries(annotations).filter(
    ([key]) => !/^(pulumi\.com|argocd\.argoproj\.io)\//.test(key),
  );
  return {
    ...object,
    metadata: { ...metadata, ...(own.length === 0 ? {} : { annotations: Object.fromEntries(own) }) },
  };
}

const byName = (objects: readonly Manifest[]) =>
  Object.fromEntries(objects.map((object) => [`${object.kind}/${object.metadata.name}`, object]));

test.each(["local", "dev", "prod"])(
  "the %s stack's files say what push delivers, once its outputs are known",
  async (stack) => {
    const { resources, outputs } = await runProgram(stack);
    const values = join(temporaryDirectory({ "outputs.json": JSON.stringify(outputs) }), "outputs.json");
    const { files, unresolved } = render(stack, values);
    const pushed = resources
      .filter(({ type, name }) => type.startsWith("kubernetes:") && !/^(stack|database)-/.test(name))
      .map(({ inputs }) => withoutWaiting(inputs as unknown as Manifest))
      .filter(({ kind }) => kind !== "Secret");
    const rendered = files
      .filter(({ path }) => path.endsWith(".yaml") && !/\/(kustomization|stack)\.yaml$/.test(path))
      .map(({ content }) => withoutWaiting(parse(content, { version: "1.1" }) as Manifest));
    expect(unresolved).toEqual([]);
    expect(rendered.length).toBeGreaterThanOrEqual(11);
    expect(byName(rendered)).toEqual(byName(pushed));
  },
);

// A change here is a change of what is committed for a stack: read the diff, then `npm run test:unit -- -u`.
test("the dev stack's tree is this one", async () => {
  const { files, unresolved } = render("dev");
  expect(unresolved).toEqual([
    ...Object.keys(application).map((name) => `image of ${name}`),
    "address of api",
    "address of frontend",
  ]);
  for (const { path, content } of files) await expect(content).toMatchFileSnapshot(`golden/rendered/${path}`);
  const golden = readdirSync(new URL("golden/rendered", import.meta.url), {
    recursive: true,
    withFileTypes: true,
  })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => `${parentPath}/${name}`.split("/golden/rendered/")[1])
    .sort();
  expect(golden).toEqual(files.map(({ path }) => path).sort());
});
