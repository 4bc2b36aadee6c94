import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { configNamespace } from "../infra/config/stack.ts";
import { root } from "../infra/projectRoot.ts";
import type { StackFile } from "../local/deliver/project.ts";

/** Values below `slipway:`, by key without it. */
export type Values = { readonly [key: string]: unknown };

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
    // Quoted: a time or a number in plain style would reach the program in another spelling.
    const text = stringify(file, { defaultStringType: "QUOTE_DOUBLE", defaultKeyType: "PLAIN" });
    writeFileSync(path, text, { mode: 0o600 });
    return await run(path);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Runs in a project directory outside the checkout, for what would leave a stack file behind, and removes it. */
export async function withTemporaryProject<T>(run: (directory: string) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), "slipway-project-"));
  try {
    const definition = parse(readFileSync(join(root, "Pulumi.yaml"), "utf8")) as Record<string, unknown>;
    const project = { ...definition, main: join(root, String(definition.main)) };
    writeFileSync(join(directory, "Pulumi.yaml"), stringify(project));
    return await run(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
