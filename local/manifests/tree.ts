import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import type { RenderedFile } from "../../infra/delivery/render.ts";
import { Fault } from "../../infra/fault.ts";

export interface TreeChanges {
  readonly written: number;
  readonly removed: number;
  readonly unchanged: number;
}

/** Content of each file below a directory, by path from it. @throws Fault for what no rendering makes */
function readTree(directory: string): Map<string, string> {
  const files = new Map<string, string>();
  for (const entry of readdirSync(directory, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) files.set(path.slice(directory.length + 1), readFileSync(path, "utf8"));
    else if (!entry.isDirectory()) throw foreign(path, "is a link or a special file");
  }
  return files;
}

function foreign(path: string, rule: string): Fault {
  return new Fault({
    what: path,
    rule: `${rule}: the folder of a stack must be the rendering's alone`,
    fix: "move it elsewhere, or choose another --out; nothing was changed",
  });
}

/** What an earlier run left when it was killed. That of a process which still runs is its own. */
function removeLeftovers(parent: string, prefix: string): void {
  for (const name of readdirSync(parent)) {
    if (!name.startsWith(prefix)) continue;
    const [, pid] = /^(\d+)\./.exec(name.slice(prefix.length)) ?? [];
    if (pid !== undefined && !existsSync(`/proc/${pid}`))
      rmSync(join(parent, name), { recursive: true, force: true });
  }
}

function requireDirectory(out: string): string {
  try {
    mkdirSync(out, { recursive: true });
    return realpathSync(out);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    throw new Fault({
      what: `--out ${out}`,
      value: code ?? String(error),
      rule: "must be a directory that can be written to",
      fix: "choose another one",
    });
  }
}

/**
 * Makes the folder `folder` of a directory hold exactly these files, all of them or none: they are written beside it
 * and then take its place. What an earlier rendering left there goes; what is no rendering's stops it.
 *
 * @param files paths from the directory, all below the folder
 * @param isOwn whether a file that is there was written by an earlier rendering
 * @throws Fault when the folder has files of somebody else, or cannot be written; it is as it was then
 */
export function writeTree(
  out: string,
  folder: string,
  files: readonly RenderedFile[],
  isOwn: (content: string) => boolean,
): TreeChanges {
  const directory = requireDirectory(out);
  const target = join(directory, folder);
  const stat = lstatSync(target, { throwIfNoEntry: false });
  if (stat !== undefined && !stat.isDirectory()) throw foreign(target, "is no directory");
  const before = stat === undefined ? new Map<string, string>() : readTree(target);
  for (const [path, content] of before)
    if (!isOwn(content)) throw foreign(join(target, path), "was not rendered, or was edited");
  const relative = files.map(({ path, content }) => [path.slice(folder.length + 1), content] as const);
  const written = relative.filter(([path, content]) => before.get(path) !== content).length;
  const kept = new Set(relative.map(([path]) => path));
  const removed = [...before.keys()].filter((path) => !kept.has(path)).length;
  const changes = { written, removed, unchanged: relative.length - written };
  if (stat !== undefined && written === 0 && removed === 0) return changes;

  removeLeftovers(directory, `.${folder}.`);
  const [fresh, old] = ["new", "old"].map((end) => join(directory, `.${folder}.${process.pid}.${end}`)) as [
    string,
    string,
  ];
  try {
    let parent = "";
    for (const [path, content] of relative) {
      const file = join(fresh, path);
      if (dirname(file) !== parent) {
        parent = dirname(file);
        mkdirSync(parent, { recursive: true });
      }
      writeFileSync(file, content);
    }
    if (stat !== undefined) renameSync(target, old);
    try {
      renameSync(fresh, target);
    } catch (error) {
      if (stat !== undefined) renameSync(old, target);
      throw error;
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new Fault({
      what: target,
      value: code ?? message,
      rule: "could not be written; it is as it was",
      fix: "check the directory's rights and the disk's space",
    });
  } finally {
    for (const part of [fresh, old]) rmSync(part, { recursive: true, force: true });
  }
  return changes;
}
