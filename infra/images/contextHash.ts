import { createHash } from "node:crypto";
import { existsSync, globSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import balena from "@balena/dockerignore";

/** Files of a build context that the builder sees: all but those that `.dockerignore` excludes, sorted. */
function contextFiles(directory: string): string[] {
  const ignoreFile = join(directory, ".dockerignore");
  const ignored = balena.default();
  if (existsSync(ignoreFile)) ignored.add(readFileSync(ignoreFile, "utf8"));
  // Dependencies are never sources, and walking them takes longer than the rest of the run.
  return globSync("**/*", {
    cwd: directory,
    exclude: (path) => path === "node_modules" || path.endsWith("/node_modules"),
  })
    .filter((file) => !ignored.ignores(file) && statSync(join(directory, file)).isFile())
    .sort();
}

/**
 * Twelve hexadecimal digits that name the content of a build context: names, modes and bytes of its files.
 *
 * @param directory absolute path of the context
 */
export function contextHash(directory: string): string {
  const hash = createHash("sha256");
  for (const file of contextFiles(directory)) {
    const path = join(directory, file);
    const executable = (statSync(path).mode & 0o111) !== 0;
    hash
      .update(`${file}\0${executable ? "x" : "-"}\0`)
      .update(readFileSync(path))
      .update("\0");
  }
  return hash.digest("hex").slice(0, 12);
}
