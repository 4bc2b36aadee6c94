import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { readDescriptor } from "../../local/descriptor.ts";
import { resolveSettings } from "../../local/settings.ts";
import { helmTools, kubernetesTools } from "../../local/toolFamilies.ts";
import { provideTools } from "../../local/tools.ts";
import {
  type Clients,
  clients,
  definitionOf,
  getGreeting,
  getText,
  stackObjects,
} from "../support/cluster.ts";
import { Workspace } from "../support/workspace.ts";

const stack = "test-rendered";
const frontend = "http://127.0.0.1:30485";
const api = "http://127.0.0.1:30486";
let workspace: Workspace;
let cluster: Clients;
let kubectl: (...args: string[]) => Promise<string>;
let helm: (...args: string[]) => Promise<string>;

/** The images that run, in the form of the stack output. */
async function runningImages(): Promise<unknown> {
  const { items } = await cluster.apps.listNamespacedDeployment({ namespace: stack });
  return Object.fromEntries(
    items.map(({ metadata, spec }) => [
      metadata?.name,
      {
        reference: spec?.template.spec?.containers[0]?.image,
        version: metadata?.labels?.["app.kubernetes.io/version"],
      },
    ]),
  );
}

/** Renders the stack, and gives its folder. */
async function render(format: "kustomize" | "helm"): Promise<string> {
  const images = join(workspace.path, "images.json");
  const out = join(workspace.path, format);
  const { exitCode, output } = await workspace.run(
    "render",
    ...["--format", format, "--out", out, "--images", images, "--strict"],
  );
  if (exitCode !== 0) throw new Error(output);
  return join(out, stack);
}

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
}

/** The objects of a stream of documents by kind and name. */
function objectsIn(stream: string): Record<string, Manifest> {
  const objects = parseAllDocuments(stream, { version: "1.1" }).map(
    (document) => document.toJS() as Manifest,
  );
  return Object.fromEntries(
    objects
      .filter((object) => object !== null)
      .map((object) => [`${object.kind}/${object.metadata.name}`, object]),
  );
}

/** The stack's objects, without what delivering adds. A generation that stays tells that nothing was changed for a moment. */
async function delivered(): Promise<Record<string, unknown>> {
  const objects = await stackObjects(cluster, stack);
  return Object.fromEntries(
    [...objects].map(([name, object]) => [name, [object.metadata?.generation, definitionOf(object)]]),
  );
}

/** The node's proxy learns of a port that is new a moment after the pods are ready. */
async function serves(): Promise<void> {
  await expect
    .poll(() => getText(frontend).catch(String), { timeout: 15_000 })
    .toContain('<h1 id="headline">');
  await expect
    .poll(() => getGreeting(api).catch(String), { timeout: 15_000 })
    .toMatchObject({ text: "Hello from Slipway" });
}

/** Deletes the workloads, and waits until their pods are gone; namespace and pull secret stay. */
async function clear(folder: string): Promise<void> {
  await kubectl("delete", "--wait", "--kustomize", folder);
  await kubectl("wait", "--for=delete", "pod", "--all", "--timeout=60s");
  await expect(getText(frontend)).rejects.toThrow();
}

beforeAll(async () => {
  const settings = resolveSettings(process.env);
  const { kubeconfig } = readDescriptor();
  const [kubernetes, helms] = [
    await provideTools(settings, kubernetesTools, () => {}),
    await provideTools(settings, helmTools, () => {}),
  ];
  workspace = new Workspace(stack);
  // A migration is a Job of its own, which is not what this is about.
  workspace.withoutDatabase();
  const env = {
    KUBECONFIG: kubeconfig,
    HELM_CACHE_HOME: join(workspace.path, "helm/cache"),
    HELM_CONFIG_HOME: join(workspace.path, "helm/config"),
    HELM_DATA_HOME: join(workspace.path, "helm/data"),
  };
  const run =
    (file: string) =>
    async (...args: string[]) =>
      (await execa(file, ["--namespace", stack, ...args], { env })).stdout;
  kubectl = run(join(kubernetes.bin, "kubectl"));
  helm = run(join(helms.bin, "helm"));
  cluster = clients();
  workspace.configure({
    platform: { kind: "local" },
    exposure: { frontend: { type: "NodePort", nodePort: 30485 }, api: { type: "NodePort", nodePort: 30486 } },
  });
  await workspace.deliver();
  writeFileSync(join(workspace.path, "images.json"), JSON.stringify(await runningImages()));
}, 900_000);

afterAll(async () => {
  await workspace.run("destroy", "--deliver", "direct");
  workspace.remove();
});

test("to the cluster the rendered tree is what push delivered: applying it changes no object", async () => {
  const before = await delivered();
  await kubectl(
    "apply",
    "--server-side",
    "--field-manager=slipway",
    "--kustomize",
    await render("kustomize"),
  );
  expect(await delivered()).toEqual(before);
  expect(Object.keys(before).length).toBeGreaterThanOrEqual(14);
});

test("kubectl apply -k alone brings the workloads back, with pods that run the images by digest and serve", async () => {
  const folder = await render("kustomize");
  await clear(folder);
  await kubectl("apply", "--kustomize", folder);
  await kubectl("rollout", "status", "deployment", "--timeout=90s");
  await serves();
  expect(await runningImages()).toEqual(JSON.parse(workspace.read("images.json")));
});

test("the chart is the same objects, and Helm installs them and sets what its values say", async () => {
  const [folder, chart] = [await render("kustomize"), await render("helm")];
  const rendered = objectsIn(await kubectl("kustomize", folder));
  expect(objectsIn(await helm("template", stack, chart))).toEqual(rendered);
  expect(Object.keys(rendered).length).toBeGreaterThanOrEqual(11);
  await helm("lint", "--strict", chart);

  await clear(folder);
  await helm("install", stack, chart, "--wait", "--timeout=90s");
  await serves();
  const { generation } = (await cluster.apps.readNamespacedDeployment({ name: "frontend", namespace: stack }))
    .metadata as { generation: number };
  await helm("upgrade", stack, chart, "--set", "api.replicas=3", "--wait", "--timeout=90s");
  const scaled = await cluster.apps.readNamespacedDeployment({ name: "api", namespace: stack });
  const other = await cluster.apps.readNamespacedDeployment({ name: "frontend", namespace: stack });
  expect([scaled.status?.readyReplicas, other.metadata?.generation]).toEqual([3, generation]);
  await helm("uninstall", stack, "--wait");
});
