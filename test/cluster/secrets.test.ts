import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { execaSync } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readDescriptor } from "../../local/descriptor.ts";
import { resolveSettings } from "../../local/settings.ts";
import { type Clients, clients } from "../support/cluster.ts";
import { commandLines, filesBelow, leaks, type Marks } from "../support/leaks.ts";
import { Workspace } from "../support/workspace.ts";

const stack = "test-secrets";
const settings = resolveSettings(process.env);
const planted = `planted-${randomBytes(18).toString("hex")}`;
let workspace: Workspace;
let cluster: Clients;
let marks: Marks;
let output: string;
let seen: string;

/** What the stack's Secrets hold, by Secret and key. */
async function secretsOf(namespace: string): Promise<Marks> {
  const { items } = await cluster.core.listNamespacedSecret({ namespace });
  const values = items.flatMap(({ metadata, data = {} }) =>
    Object.entries(data).map(([key, value]) => [
      `${metadata?.name}.${key}`,
      Buffer.from(value, "base64").toString(),
    ]),
  ) as [string, string][];
  // User names and addresses are no secrets.
  return Object.fromEntries(values.filter(([key]) => /password|secret|key|token|dockerconfig/i.test(key)));
}

beforeAll(async () => {
  workspace = new Workspace(stack);
  cluster = clients();
  workspace.replace(
    "infra/application.ts",
    "    database: {",
    '    secretEnv: ["PAYMENT_KEY"],\n    database: {',
  );
  workspace.configure({
    platform: { kind: "local" },
    exposure: { frontend: { type: "NodePort", nodePort: 30965 }, api: { type: "NodePort", nodePort: 30966 } },
    secrets: { api: { PAYMENT_KEY: planted } },
  });
  // Builds, pushes, migrates and rolls out, all of it under watch; then everything again, with nothing to do.
  seen = await commandLines(async () => {
    output = await workspace.deliver();
    output += await workspace.deliver();
  });
  const { registry } = readDescriptor();
  marks = {
    ...(await secretsOf(stack)),
    "the registry's password": registry.password,
    "the registry's login": `${registry.username}:${registry.password}`,
    planted,
  };
});

afterAll(async () => {
  await workspace.run("destroy", "--deliver", "direct");
  workspace.remove();
});

test("the secrets that are looked for are the stack's own: planted, of the database and of the registry", () => {
  expect(Object.values(marks)).toContain(planted);
  expect(Object.keys(marks).filter((name) => name.startsWith("database")).length).toBeGreaterThan(0);
  for (const mark of Object.values(marks)) expect(mark.length).toBeGreaterThan(15);
  // The search finds what is there, in any spelling.
  const encoded = Buffer.from(`x${planted}`).toString("base64");
  expect(leaks({ planted }, { plain: `a ${planted} b`, encoded })).toHaveLength(2);
});

test("none is printed, or on a process's command line", () => {
  expect(seen).toContain(stack);
  expect(leaks(marks, { "the output": output, "a command line": seen })).toEqual([]);
});

test("none is in a pod's log, an event, or an object that is no Secret", async () => {
  const { items } = await cluster.core.listNamespacedPod({ namespace: stack });
  expect(items.length).toBeGreaterThan(3);
  const logs = await Promise.all(
    items.map(async ({ metadata }) => [
      `log of ${metadata?.name}`,
      (await cluster.core.readNamespacedPodLog({ namespace: stack, name: metadata?.name ?? "" })) ?? "",
    ]),
  );
  const objects = {
    events: JSON.stringify(await cluster.core.listNamespacedEvent({ namespace: stack })),
    pods: JSON.stringify(items),
    configMaps: JSON.stringify(await cluster.core.listNamespacedConfigMap({ namespace: stack })),
    deployments: JSON.stringify(await cluster.apps.listNamespacedDeployment({ namespace: stack })),
  };
  expect(leaks(marks, { ...Object.fromEntries(logs), ...objects })).toEqual([]);
});

test("none is in the environment's logs", () => {
  expect(leaks(marks, filesBelow(join(settings.stateDir, "logs")))).toEqual([]);
});

test("none is in a layer or the configuration of an image", async () => {
  const { items } = await cluster.apps.listNamespacedDeployment({ namespace: stack });
  const references = items.map(({ spec }) => spec?.template.spec?.containers[0]?.image as string);
  expect(references).toHaveLength(2);
  for (const reference of references) {
    const docker = (...args: string[]) =>
      execaSync("/usr/bin/docker", args, {
        env: { DOCKER_HOST: readDescriptor().docker.host },
        encoding: "buffer",
        maxBuffer: 2 ** 30,
      }).stdout;
    const image = Buffer.from(docker("save", reference));
    expect(image.length).toBeGreaterThan(2 ** 20);
    expect(leaks(marks, { [reference]: image })).toEqual([]);
  }
});

test("none is in a rendered file, in either format", async () => {
  for (const format of ["kustomize", "helm"]) {
    const out = join(workspace.path, "rendered", format);
    const { exitCode, output: said } = await workspace.run("render", "--format", format, "--out", out);
    expect([exitCode, leaks(marks, { "the output": said })]).toEqual([0, []]);
    const files = filesBelow(out);
    expect(Object.keys(files).length).toBeGreaterThan(10);
    expect(leaks(marks, files)).toEqual([]);
  }
});
