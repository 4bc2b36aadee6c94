import { createHash } from "node:crypto";
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import balena from "@balena/dockerignore";

/** Never sources, and walking them takes longer than the rest of the run. */
const skipped = ["node_modules", ".git"];

/** What the builder reads even where `.dockerignore` excludes it. */
const alwaysRead = ["Dockerfile", ".dockerignore"];

/** All files and symbolic links below a directory, hidden ones too. */
function walk(directory: string, below = ""): string[] {
  return readdirSync(join(directory, below), { withFileTypes: true }).flatMap((entry) => {
    const path = `${below}${entry.name}`;
    if (entry.isDirectory()) return skipped.includes(entry.name) ? [] : walk(directory, `${path}/`);
    return entry.isFile() || entry.isSymbolicLink() ? [path] : [];
  });
}

/** Files of a build context that the builder sees: all but those that `.dockerignore` excludes, sorted. */
function contextFiles(directory: string): string[] {
  const ignoreFile = join(directory, ".dockerignore");
  const ignored = balena.default();
  if (existsSync(ignoreFile)) ignored.add(readFileSync(ignoreFile, "utf8"));
  return walk(directory)
    .filter((file) => alwaysRead.includes(file) || !ignored.ignores(file))
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
    const stat = lstatSync(path);
    const mode = stat.isSymbolicLink() ? "l" : (stat.mode & 0o111) !== 0 ? "x" : "-";
    hash
      .update(`${file}\0${mode}\0`)
      .update(stat.isSymbolicLink() ? readlinkSync(path) : readFileSync(path))
      .update("\0");
  }
  return hash.digest("hex").slice(0, 12);
}
