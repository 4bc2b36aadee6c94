import { InputError } from "../config/error.ts";
import type { WorkloadObject } from "../workloads/build.ts";
import type { SecretDetector } from "./leak.ts";
import { type Plain, toYaml } from "./yaml.ts";

/** Everything but Secrets: those are Pulumi's, and never in a file. */
export type RenderableObject = Exclude<WorkloadObject, { readonly kind: "Secret" }>;

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
 * An object of a workload as YAML.
 *
 * @throws InputError naming workload and field when a secret, or a value that is not plain, would be written
 */
export function manifest(workload: string, object: RenderableObject, secrets: SecretDetector): string {
  if (!secrets.isIdle) refuseSecrets(workload, object, secrets);
  try {
    return toYaml(object as unknown as { readonly [key: string]: Plain });
  } catch (error) {
    throw error instanceof TypeError ? notPlain(workload, object) : error;
  }
}
