import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";

/** A directory with these files, removed when the test ends. */
export function temporaryDirectory(files: { readonly [path: string]: string } = {}): string {
  const directory = mkdtempSync(join(tmpdir(), "slipway-test-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  writeFiles(directory, files);
  return directory;
}

export function writeFiles(directory: string, files: { readonly [path: string]: string }): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), content);
  }
}

/** A file that is removed when the process ends, for what several tests read. */
export function temporaryFile(name: string, content: string): string {
  const directory = mkdtempSync(join(tmpdir(), "slipway-test-"));
  process.on("exit", () => rmSync(directory, { recursive: true, force: true }));
  writeFiles(directory, { [name]: content });
  return join(directory, name);
}
