import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { application } from "../../infra/application.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { Workspace } from "../support/workspace.ts";

const stack = "shop";
const sealed = { secure: "v1:AAAA:BBBB" };
const config = {
  platform: { kind: "azure", location: "westeurope", cluster: { kubernetesVersion: "1.34" } },
  exposure: { api: { type: "LoadBalancer" }, frontend: { type: "LoadBalancer" } },
};
const names = Object.keys(application);
const reference = (name: string) => `registry.example/${name}@sha256:${"c".repeat(64)}`;
const outputs = {
  urls: { api: "http://203.0.113.1", frontend: "http://203.0.113.2" },
  images: Object.fromEntries(names.map((name) => [name, { reference: reference(name), version: "4711" }])),
  rendering: { pullSecret: "registry-pull", secretNames: { api: "api-secret-0123456789" } },
  kubeconfig: "[secret]",
};

let workspace: Workspace;
let out: string;

beforeAll(() => {
  workspace = new Workspace(stack);
});
beforeEach(() => {
  out = temporaryDirectory();
  workspace.configure(config);
});
afterAll(() => workspace.remove());

const render = (...options: string[]) => workspace.run("render", "--out", out, ...options);
const at = (path: string) => readFileSync(join(out, path), "utf8");

function tree(): Record<string, string> {
  const entries = readdirSync(out, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(
    files.sort().map((file) => [file.slice(out.length + 1), readFileSync(file, "utf8")]),
  );
}

/** Number of files that were rendered. */
const count = () => Object.keys(tree()).length;

function json(value: unknown): string {
  return join(temporaryDirectory({ "values.json": JSON.stringify(value) }), "values.json");
}

describe("what only a deployment knows", () => {
  test("stands as placeholders that work nowhere, and one line says which and where they are to be had", async () => {
    const { exitCode, output } = await render();
    expect(exitCode).toBe(0);
    expect(output.split("\n")).toEqual([
      `Placeholders stand for what is known only once the stack is deployed: ${names.map((name) => `image of ${name}`).join(", ")}, address of api, address of frontend. Supply by --values FILE, from: pulumi stack output --stack shop --json`,
      expect.stringMatching(`shop: ${count()} written, 0 removed, 0 unchanged$`),
    ]);
    expect(at("shop/api/deployment.yaml")).toContain(
      `image: registry.invalid/slipway/api@sha256:${"0".repeat(64)}\n`,
    );
    expect(at("shop/frontend/configmap.yaml")).toContain('"apiUrl": "http://api.invalid"');
  });

  test("is refused where --strict allows no placeholders, and nothing is written", async () => {
    const { exitCode, output } = await render("--strict", "--images", json(outputs.images));
    expect(exitCode).toBe(1);
    expect(output).toBe(
      "--strict: allows no placeholders, and these are known only once the stack is deployed: address of api, address of frontend. Supply by --values FILE, from: pulumi stack output --stack shop --json",
    );
    expect(readdirSync(out)).toEqual([]);
  });

  test("comes from the stack's outputs, and images over them from a file of their own", async () => {
    const newer = { api: { reference: reference("newer"), version: "4713" } };
    const { exitCode, output } = await render("--strict", "--values", json(outputs), "--images", json(newer));
    expect([exitCode, output.split("\n")]).toEqual([0, [expect.stringContaining(`${count()} written`)]]);
    expect(at("shop/api/deployment.yaml")).toContain(`image: ${reference("newer")}\n`);
    expect(at("shop/frontend/deployment.yaml")).toContain(`image: ${reference("frontend")}\n`);
    expect(at("shop/frontend/configmap.yaml")).toContain('"apiUrl": "http://203.0.113.1"');
  });

  test.each<[string, string, unknown, string]>([
    [
      "an image by a tag",
      "--values",
      { images: { api: { reference: "r/api:1", version: "1" } } },
      "images.api.reference: must be an image by its digest: name@sha256:…",
    ],
    [
      "an unknown workload",
      "--images",
      { apii: outputs.images.api },
      "apii: is not a workload of this application",
    ],
    ["something else", "--values", [], "must be what the stack outputs"],
  ])("is refused when it is %s", async (_, option, value, message) => {
    const { exitCode, output } = await render(option, json(value));
    expect(exitCode).toBe(1);
    expect(output).toContain(message);
    expect(readdirSync(out)).toEqual([]);
  });

  test.each([
    ["absent", "nosuch.json"],
    ["not JSON", "README.md"],
  ])("is refused when its file is %s", async (what, file) => {
    const { exitCode, output } = await render("--values", file);
    expect(exitCode).toBe(1);
    expect(output).toBe(
      `--values ${file}: ${what}: must be a readable JSON file\n  → write it by: pulumi stack output --stack shop --json`,
    );
  });
});

describe("an encrypted value", () => {
  const wanting = () =>
    workspace.replace(
      "infra/application.ts",
      "ports: { http: 8080 },\n    env: {\n      GREETING",
      'ports: { http: 8080 },\n    secretEnv: ["TOKEN"],\n    env: {\n      GREETING',
    );
  const plain = readFileSync(new URL("../../infra/application.ts", import.meta.url), "utf8");
  const given = (value: unknown) => {
    wanting();
    workspace.configure({ ...config, secrets: value });
  };
  beforeEach(() => workspace.write("infra/application.ts", plain));

  test.each([
    ["one by one", { api: { TOKEN: sealed } }],
    ["a workload's as a whole", { api: sealed }],
    ["all as a whole", sealed],
  ])("of a secret is not needed: the Secret's name is an output (%s)", async (_, secrets) => {
    given(secrets);
    const { exitCode } = await render("--strict", "--values", json(outputs));
    expect(exitCode).toBe(0);
    expect(at("shop/api/deployment.yaml")).toMatch(
      /name: TOKEN\n +valueFrom:\n +secretKeyRef:\n +name: api-secret-0123456789\n/,
    );
    expect(Object.values(tree()).join("")).not.toMatch(/v1:AAAA|encrypted|kind: Secret\n/);
  });

  test("of a secret whose name is not known is a placeholder", async () => {
    given({ api: { TOKEN: sealed } });
    const { output } = await render("--values", json({ ...outputs, rendering: {} }));
    expect(output).toContain("known only once the stack is deployed: name of api's Secret.");
    expect(at("shop/api/deployment.yaml")).toContain("name: api-secret-0000000000\n");
  });

  test("that would be written is refused with workload and field, and nothing is written", async () => {
    workspace.configure({ ...config, workloads: { api: { env: { COPY: sealed } } } });
    const { exitCode, output } = await render();
    expect(exitCode).toBe(1);
    expect(output).toContain(
      "api: Job spec.template.spec.containers[migrate].env[COPY].value: holds a value that the stack's configuration keeps secret, and secrets are never rendered.",
    );
    expect(readdirSync(out)).toEqual([]);
  });

  test("that the last workload would have leaves nothing of the first, nor a directory that was not there", async () => {
    workspace.configure({ ...config, workloads: { frontend: { env: { COPY: sealed } } } });
    const { exitCode } = await workspace.run("render", "--out", join(out, "not/there"));
    expect(exitCode).toBe(1);
    expect(readdirSync(out)).toEqual([]);
  });

  test("that decides what is rendered is refused by its key", async () => {
    workspace.configure({ ...config, namespace: sealed });
    const { exitCode, output } = await render();
    expect([exitCode, output]).toEqual([
      1,
      "Pulumi.shop.yaml: slipway:namespace: is encrypted, and is needed to render the stack without the Pulumi CLI. Set it without --secret, and only what is secret in it with --secret --path.",
    ]);
  });
});

describe("the directory", () => {
  test("gets the same bytes from the same input, and is not touched by the second run", async () => {
    await render();
    const before = tree();
    const { output } = await render();
    expect(output).toContain(`0 written, 0 removed, ${count()} unchanged`);
    expect(tree()).toEqual(before);
  });

  test("loses what an earlier rendering left, and keeps everything beside the stack's folder", async () => {
    await render("--values", json(outputs));
    mkdirSync(join(out, "other"));
    writeFileSync(join(out, "other/README.md"), "mine");
    workspace.configure({
      ...config,
      workloads: { api: { autoscaling: { minReplicas: 1, maxReplicas: 2 } } },
    });
    await render("--values", json(outputs));
    expect(Object.keys(tree())).toContain("shop/api/horizontalpodautoscaler.yaml");
    workspace.configure(config);
    const { output } = await render("--values", json(outputs));
    expect(output).toMatch(/2 written, 1 removed, \d+ unchanged/);
    expect(Object.keys(tree())).not.toContain("shop/api/horizontalpodautoscaler.yaml");
    expect(at("other/README.md")).toBe("mine");
    expect(readdirSync(out).sort()).toEqual(["other", "shop"]);
  });

  test.each<[string, (folder: string) => void, RegExp]>([
    [
      "a file of somebody else",
      (folder) => writeFileSync(join(folder, "notes.txt"), "mine"),
      /notes\.txt: was not rendered, or was edited/,
    ],
    ["a link", (folder) => symlinkSync("/etc", join(folder, "etc")), /etc: is a link or a special file/],
    [
      "a file of another stack",
      (folder) =>
        writeFileSync(
          join(folder, "a.yaml"),
          "# Rendered from the stack dev of slipway. DO NOT EDIT: the next rendering overwrites it.\n",
        ),
      /a\.yaml: was not rendered/,
    ],
  ])("is refused when the stack's folder has %s in it, and is left as it is", async (_, spoil, message) => {
    await render();
    spoil(join(out, "shop"));
    const before = readdirSync(out, { recursive: true });
    const { exitCode, output } = await render("--values", json(outputs));
    expect(exitCode).toBe(1);
    expect(output).toMatch(message);
    expect(output).toContain("nothing was changed");
    expect(readdirSync(out, { recursive: true })).toEqual(before);
    expect(at("shop/api/deployment.yaml")).toContain("registry.invalid");
  });

  test.each<[string, (path: string) => void]>([
    ["a link to elsewhere", (path) => symlinkSync(temporaryDirectory(), path)],
    ["a file", (path) => writeFileSync(path, "")],
  ])("is refused when the stack's folder is %s", async (_, make) => {
    make(join(out, "shop"));
    const { exitCode, output } = await render();
    expect([exitCode, output]).toEqual([1, expect.stringContaining(`${join(out, "shop")}: is no directory`)]);
  });

  test("is refused when it is a file", async () => {
    const file = join(out, "file");
    writeFileSync(file, "");
    const { exitCode, output } = await workspace.run("render", "--out", file);
    expect([exitCode, output]).toEqual([1, expect.stringContaining(`--out ${file}: `)]);
  });

  test("is rid of what a killed run left beside it", async () => {
    mkdirSync(join(out, ".shop.4194305.new/api"), { recursive: true });
    await render();
    expect(readdirSync(out)).toEqual(["shop"]);
  });
});

test.each(["../shop", "a/b", "", "..", "nosuch"])("a stack %j is refused", async (name) => {
  const { exitCode, output } = await workspace.run("render", "--out", out, "--stack", name);
  expect(exitCode).toBe(1);
  expect(output).toMatch(
    name === "nosuch" ? /^Pulumi\.nosuch\.yaml: absent: must exist/ : /^--stack: .* must be a stack's name/,
  );
  expect(readdirSync(out)).toEqual([]);
});
