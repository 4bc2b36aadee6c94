import { InputError } from "../../infra/config/error.ts";
import { inStackFile, parseStackConfig } from "../../infra/config/parse.ts";
import { configNamespace, type StackConfig } from "../../infra/config/stack.ts";
import type { Application } from "../../infra/workloads/definition.ts";
import { projectName, type RawConfig, readStackFile } from "../deliver/project.ts";

/** A stack as its file alone tells of it. */
export interface OfflineStack {
  readonly project: string;
  readonly name: string;
  /** What is encrypted in the file stands as a text that no file may have: see `isSealed`. */
  readonly config: StackConfig;
  /** Those texts. */
  readonly seals: readonly string[];
}

const seal = "\u{1f512}encrypted: ";

/** Whether a value of the configuration is one that only the Pulumi CLI can read. */
export function isSealed(value: unknown): value is string {
  return typeof value === "string" && value.startsWith(seal);
}

/** Puts a text in the place of each encrypted value; it names the value, so that each is told from the others. */
function withSeals(value: unknown, path: string, seals: string[]): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((inner, index) => withSeals(inner, `${path}[${index}]`, seals));
  if ("secure" in value && typeof value.secure === "string") {
    seals.push(`${seal}${path}`);
    return `${seal}${path}`;
  }
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, withSeals(inner, `${path}.${key}`, seals)]),
  );
}

/** A map of secrets may be encrypted as a whole. Its keys are those that the workloads ask for. */
function openSecrets(secrets: unknown, application: Application): unknown {
  const of = (workload: string, whole: string) =>
    Object.fromEntries(
      (application[workload]?.secretEnv ?? []).map((name) => [name, `${whole}.${workload}.${name}`]),
    );
  if (isSealed(secrets))
    return Object.fromEntries(Object.keys(application).map((workload) => [workload, of(workload, secrets)]));
  if (typeof secrets !== "object" || secrets === null) return secrets;
  return Object.fromEntries(
    Object.entries(secrets).map(([workload, value]: [string, unknown]) => [
      workload,
      isSealed(value) ? of(workload, value) : value,
    ]),
  );
}

/** In Pulumi's own configuration a single value is always a string. */
function asConfigured(value: unknown): unknown {
  return typeof value === "number" || typeof value === "boolean" ? String(value) : value;
}

/** The schema's own messages show the value; that of an encrypted one says nothing to a reader. */
function explainSeals(error: InputError): InputError {
  return new InputError(
    error.problems.map((problem) =>
      isSealed(problem.value)
        ? {
            key: problem.key,
            rule: "is encrypted, and is needed to render the stack without the Pulumi CLI",
            hint: "Set it without --secret, and only what is secret in it with --secret --path",
          }
        : problem,
    ),
  );
}

/**
 * Reads a stack's configuration by the program's own schema, with no Pulumi CLI, login or passphrase.
 *
 * @throws InputError when the configuration breaks a rule or something other than a secret is encrypted; Fault when
 * there is no such file
 */
export function readOfflineStack(stack: string, application: Application): OfflineStack {
  const file: RawConfig = readStackFile(stack).config ?? {};
  const prefix = `${configNamespace}:`;
  const raw: Record<string, unknown> = {};
  const seals: string[] = [];
  for (const [key, value] of Object.entries(file))
    if (key.startsWith(prefix)) raw[key.slice(prefix.length)] = asConfigured(withSeals(value, key, seals));
  if ("secrets" in raw) raw.secrets = openSecrets(raw.secrets, application);
  try {
    return {
      project: projectName(),
      name: stack,
      config: inStackFile(stack, () => parseStackConfig(raw, { stack, workloads: Object.keys(application) })),
      seals,
    };
  } catch (error) {
    throw error instanceof InputError ? explainSeals(error) : error;
  }
}
