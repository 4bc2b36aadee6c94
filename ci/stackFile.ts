import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { configNamespace } from "../infra/config/stack.ts";
import { root } from "../local/deliver/project.ts";
import { Fault } from "../local/fault.ts";

/** What a Pulumi.<stack>.yaml holds: the configuration, and how its secrets are encrypted. */
export interface StackFile {
  readonly secretsprovider?: string;
  readonly encryptedkey?: string;
  readonly encryptionsalt?: string;
  readonly config?: { readonly [key: string]: unknown };
}

/** Values below `slipway:`, by key without it. */
export type Values = { readonly [key: string]: unknown };

/** @throws Fault when there is none, or it is not YAML */
export function readStackFile(stack: string): StackFile {
  const file = `Pulumi.${stack}.yaml`;
  try {
    return (parse(readFileSync(join(root, file), "utf8")) as StackFile | null) ?? {};
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    throw new Fault({
      what: file,
      value: missing ? "absent" : (error as Error).message,
      rule: missing ? "must exist" : "must be YAML",
      fix: missing ? `write ${file}, or correct --stack` : "correct it",
    });
  }
}

/** A stack file's values below `slipway:`; secret ones are still encrypted. */
export function valuesOf(file: StackFile): Values {
  const prefix = `${configNamespace}:`;
  return Object.fromEntries(
    Object.entries(file.config ?? {})
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, value]) => [key.slice(prefix.length), value]),
  );
}

/** A stack file with these values below `slipway:` in the place of its own. */
export function withValues(file: StackFile, values: Values): StackFile {
  const keyed = Object.entries(values).map(([key, value]) => [`${configNamespace}:${key}`, value]);
  return { ...file, config: { ...file.config, ...Object.fromEntries(keyed) } };
}

/** Runs with a stack file outside the checkout, in which nothing may change, and removes it. */
export async function withTemporaryStackFile<T>(
  stack: string,
  file: StackFile,
  run: (path: string) => Promise<T>,
): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), "slipway-stack-"));
  try {
    const path = join(directory, `Pulumi.${stack}.yaml`);
    writeFileSync(path, stringify(file), { mode: 0o600 });
    return await run(path);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
