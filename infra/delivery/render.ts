import type { Stack } from "../config/load.ts";
import { secretValues } from "../config/secrets.ts";
import { stackFile } from "../gitops/argocd/names.ts";
import { buildWorkload, ordinalEnds } from "../workloads/build.ts";
import type { Application } from "../workloads/definition.ts";
import { type RunnableImage, releaseOf, type Surroundings } from "../workloads/release.ts";
import { SecretDetector } from "./leak.ts";
import { manifest, type RenderableObject } from "./manifest.ts";
import { syncWaves } from "./syncWaves.ts";
import { type Plain, toYaml } from "./yaml.ts";

/** A file of the rendered tree; its path is relative to the tree's root and has no `.` or `..` in it. */
export interface RenderedFile {
  readonly path: string;
  readonly content: string;
}

/** The objects of a stack by workload, every value in them plain. */
export interface Rendering {
  readonly project: string;
  readonly stack: string;
  /** Namespace of the workloads. */
  readonly namespace: string;
  /** Built one after the other: a thousand workloads' objects are never in memory together. */
  readonly workloads: Iterable<readonly [name: string, objects: readonly RenderableObject[]]>;
  /** Values that no file may have, in whatever spelling. */
  readonly secrets: readonly string[];
}

/** In the first line of every file, by which the next rendering knows what is its own. */
export function header({ project, stack }: Pick<Rendering, "project" | "stack">): string {
  return `Rendered from the stack ${stack} of ${project}. DO NOT EDIT: the next rendering overwrites it.`;
}

/** Makes the files of a rendering, each with its header. */
export class FileMaker {
  readonly #header: string;

  constructor(rendering: Pick<Rendering, "project" | "stack">) {
    this.#header = header(rendering);
  }

  yaml(path: string, text: string): RenderedFile {
    return { path, content: `# ${this.#header}\n${text}` };
  }

  markdown(path: string, text: string): RenderedFile {
    return { path, content: `<!-- ${this.#header} -->\n\n${text}` };
  }
}

function kustomization(resources: readonly string[]): string {
  return toYaml({
    apiVersion: "kustomize.config.k8s.io/v1beta1",
    kind: "Kustomization",
    resources: [...resources].sort() as Plain[],
  });
}

/**
 * The same bytes whenever the objects are the same: one file for each object, `<stack>/<workload>/<kind>.yaml`, a second one of its kind `<kind>-2.yaml`, a
 * kustomization.yaml and a README.md in each folder, and what an ApplicationSet must know of the stack. Made one after
 * the other, so that whoever writes them need not keep them.
 *
 * @throws InputError naming workload and field when a secret, or a value that is not plain, would be written
 */
export function* renderStack(rendering: Rendering): Generator<RenderedFile, void> {
  const { project, stack, namespace, workloads } = rendering;
  const secrets = new SecretDetector(rendering.secrets);
  const files = new FileMaker(rendering);
  const folders: string[] = [];
  for (const [workload, objects] of workloads) {
    folders.push(workload);
    const folder = `${stack}/${workload}`;
    const ends = ordinalEnds(objects);
    const names = objects.map(({ kind }, index) => `${kind.toLowerCase()}${ends[index]}.yaml`);
    for (const [index, object] of objects.entries())
      yield files.yaml(`${folder}/${names[index]}`, manifest(workload, object, secrets));
    yield files.yaml(`${folder}/kustomization.yaml`, kustomization(names));
    yield files.markdown(
      `${folder}/README.md`,
      `# ${workload}\n\nThe workload \`${workload}\` of the stack \`${stack}\`, as its definition in \`${project}\` says. Change it there.\n`,
    );
  }
  yield files.yaml(`${stack}/kustomization.yaml`, kustomization(folders));
  yield files.yaml(`${stack}/${stackFile}`, toYaml({ project, stack, namespace }));
  yield files.markdown(
    `${stack}/README.md`,
    `# ${stack}\n\nThe workloads of the stack \`${stack}\` of \`${project}\`, one folder each: \`kubectl apply -k .\` applies them.\nTheir namespace and their Secrets are not here; the program provides those.\n`,
  );
}

/** What only a deployment knows, all of it plain. */
export interface DeployedValues {
  readonly images: { readonly [workload: string]: RunnableImage };
  /** Name of the registry pull secret, where the namespace has one. */
  readonly pullSecret?: string;
  /** Public address of each workload that another one's configuration takes. */
  readonly addresses: { readonly [workload: string]: string };
  /** Of each workload that refers to a Key Vault: its identity and the current versions. */
  readonly vaultAccess?: NonNullable<Surroundings["vaultAccess"]>;
  /** The platform's own image of PostgreSQL, where it has one. */
  readonly databaseImage?: string;
  /** Names of the workloads' Secrets, where the configuration that is rendered has no values for them. */
  readonly secretNames?: { readonly [workload: string]: string };
}

/**
 * What there is to render of a stack: the objects that push delivery applies, but for their Secrets.
 *
 * @param furtherSecrets values that no file may have, besides the secrets that the configuration has a place for
 */
export function renderingOf(
  application: Application,
  { project, name: stack, config }: Stack,
  { images, ...values }: DeployedValues,
  furtherSecrets: readonly string[] = [],
): Rendering {
  const surroundings = { project, stack, namespace: config.namespace, ...values };
  const buildAll = function* () {
    for (const name of Object.keys(application)) {
      const release = releaseOf(application, name, config, images[name] as RunnableImage, surroundings);
      const objects = buildWorkload(release).filter((object) => object.kind !== "Secret");
      yield [name, syncWaves(objects)] as const;
    }
  };
  const secrets = [...secretValues(config), ...furtherSecrets];
  return { project, stack, namespace: config.namespace, workloads: buildAll(), secrets };
}

/** Renders a stack's workloads as a tree of Kustomize folders, sorted by path: see renderingOf and renderStack. */
export function renderApplication(...stack: Parameters<typeof renderingOf>): readonly RenderedFile[] {
  return [...renderStack(renderingOf(...stack))].sort((one, other) => (one.path < other.path ? -1 : 1));
}
