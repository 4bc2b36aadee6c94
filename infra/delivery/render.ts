import { InputError } from "../config/error.ts";
import type { Stack } from "../config/load.ts";
import { secretValues } from "../config/secrets.ts";
import { buildWorkload, type WorkloadObject } from "../workloads/build.ts";
import type { Application } from "../workloads/definition.ts";
import { type RunnableImage, releaseOf, type Surroundings } from "../workloads/release.ts";
import { SecretDetector } from "./leak.ts";
import { type Plain, toYaml } from "./yaml.ts";

/** A file of the rendered tree; its path is relative to the tree's root and has no `.` or `..` in it. */
export interface RenderedFile {
  readonly path: string;
  readonly content: string;
}

/** Everything but Secrets: those are Pulumi's, and never in a file. */
export type RenderableObject = Exclude<WorkloadObject, { readonly kind: "Secret" }>;

/** The objects of a stack by workload, every value in them plain. */
export interface Rendering {
  readonly project: string;
  readonly stack: string;
  readonly workloads: { readonly [name: string]: readonly RenderableObject[] };
  /** Values that no file may have, in whatever spelling. */
  readonly secrets: readonly string[];
}

/** First line of every file, by which the next rendering knows what is its own. */
export function header({ project, stack }: Pick<Rendering, "project" | "stack">): string {
  return `Rendered from the stack ${stack} of ${project}. DO NOT EDIT: the next rendering overwrites it.`;
}

interface Leaf {
  readonly path: string;
  readonly value: unknown;
}

/** The values of an object that have no further parts. Items of a list are called by their name where they have one. */
function* leaves(value: unknown, path: string): Generator<Leaf> {
  const prototype: unknown = typeof value === "object" && value !== null && Object.getPrototypeOf(value);
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      const name = (item as { readonly name?: unknown } | null | undefined)?.name;
      yield* leaves(item, `${path}[${typeof name === "string" ? name : index}]`);
    }
  } else if (prototype === Object.prototype || prototype === null) {
    for (const [key, inner] of Object.entries(value as object)) {
      if (inner === undefined) continue;
      yield* leaves(inner, /^\w+$/.test(key) ? `${path}.${key}`.replace(/^\./, "") : `${path}["${key}"]`);
    }
  } else {
    yield { path, value };
  }
}

function problem(workload: string, { kind }: RenderableObject, field: string, rule: string, hint: string) {
  return new InputError({ key: `${workload}: ${kind} ${field}`, rule, hint });
}

/** An Output, secret or not, has no value outside a deployment; nothing else of this kind should ever be here. */
function notPlain(workload: string, object: RenderableObject): InputError {
  const leaf = [...leaves(object, "")].find(
    ({ value }) => !["string", "number", "boolean"].includes(typeof value) && value !== null,
  );
  return problem(
    workload,
    object,
    leaf?.path ?? "",
    "is a secret, or known only while the stack is deployed, and cannot be rendered",
    "Name a secret in the workload's secretEnv",
  );
}

/** Fields that take any text: environment variables and configuration files. */
const freeText = /^data\b|\.env\[[^\]]*\]\.value$/;

/** A secret in any other field, such as a name, is taken for one only when it is too long to be there by chance. */
const longSecret = 12;

/** What a file holds cannot be taken back: better no file than one with a secret in it. */
function refuseSecrets(workload: string, object: RenderableObject, secrets: SecretDetector): void {
  for (const { path, value } of leaves(object, "")) {
    if (typeof value !== "string") continue;
    const leaked = freeText.test(path)
      ? secrets.is(value) || secrets.isIn(value)
      : secrets.isIn(value, longSecret);
    if (!leaked) continue;
    throw problem(
      workload,
      object,
      path,
      "holds a value that the stack's configuration keeps secret, and secrets are never rendered",
      "Name it in the workload's secretEnv, and set it below slipway:secrets",
    );
  }
}

/**
 * Rows of the same bytes whenever the objects are the same: one file for each object,
 * `<stack>/<workload>/<kind>.yaml`, a kustomization.yaml and a README.md in each folder, sorted by path.
 *
 * @throws InputError naming workload and field when a secret, or a value that is not plain, would be written
 */
export function renderStack(rendering: Rendering): readonly RenderedFile[] {
  const { project, stack, workloads } = rendering;
  const secrets = new SecretDetector(rendering.secrets);
  const line = header(rendering);
  const files: RenderedFile[] = [];
  const yaml = (path: string, object: { readonly [key: string]: Plain }) =>
    files.push({ path, content: `# ${line}\n${toYaml(object)}` });
  const folder = (path: string, resources: readonly string[], readme: string) => {
    yaml(`${path}/kustomization.yaml`, {
      apiVersion: "kustomize.config.k8s.io/v1beta1",
      kind: "Kustomization",
      resources,
    });
    files.push({ path: `${path}/README.md`, content: `<!-- ${line} -->\n\n${readme}` });
  };
  const names = Object.keys(workloads).sort();
  for (const workload of names) {
    const objects = workloads[workload] as readonly RenderableObject[];
    for (const object of objects) {
      if (!secrets.isIdle) refuseSecrets(workload, object, secrets);
      try {
        yaml(
          `${stack}/${workload}/${object.kind.toLowerCase()}.yaml`,
          object as unknown as { readonly [key: string]: Plain },
        );
      } catch (error) {
        throw error instanceof TypeError ? notPlain(workload, object) : error;
      }
    }
    folder(
      `${stack}/${workload}`,
      objects.map(({ kind }) => `${kind.toLowerCase()}.yaml`).sort(),
      `# ${workload}\n\nThe workload \`${workload}\` of the stack \`${stack}\`, as its definition in \`${project}\` says. Change it there.\n`,
    );
  }
  folder(
    stack,
    names,
    `# ${stack}\n\nThe workloads of the stack \`${stack}\` of \`${project}\`, one folder each: \`kubectl apply -k .\` applies them.\nTheir namespace and their Secrets are not here; the program provides those.\n`,
  );
  return files.sort((one, other) => (one.path < other.path ? -1 : 1));
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
  /** Names of the workloads' Secrets, where the configuration that is rendered has no values for them. */
  readonly secretNames?: { readonly [workload: string]: string };
}

/**
 * Renders the workloads of a stack: the objects that push delivery applies, but for their Secrets.
 *
 * @param furtherSecrets values that no file may have, besides the secrets that the configuration has a place for
 * @throws InputError as renderStack does
 */
export function renderApplication(
  application: Application,
  { project, name: stack, config }: Stack,
  { images, ...values }: DeployedValues,
  furtherSecrets: readonly string[] = [],
): readonly RenderedFile[] {
  const surroundings = { project, stack, namespace: config.namespace, ...values };
  const workloads = Object.fromEntries(
    Object.keys(application).map((name) => [
      name,
      buildWorkload(releaseOf(application, name, config, images[name] as RunnableImage, surroundings)).filter(
        (object) => object.kind !== "Secret",
      ),
    ]),
  );
  return renderStack({ project, stack, workloads, secrets: [...secretValues(config), ...furtherSecrets] });
}
