import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmdirSync,
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

/** A path and what is in the file. */
type File = readonly [path: string, content: string];

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

/** What earlier runs left beside a folder when they were killed. That of a process which still runs is its own. */
function leftovers(parent: string, folder: string): string[] {
  const prefix = `.${folder}.`;
  return readdirSync(parent)
    .filter((name) => name.startsWith(prefix))
    .filter((name) => {
      const [, pid] = /^(\d+)\.(new|old)$/.exec(name.slice(prefix.length)) ?? [];
      return pid !== undefined && !existsSync(`/proc/${pid}`);
    })
    .map((name) => join(parent, name));
}

/** Removes a directory and those above it that this run made, as long as nobody has put anything there. */
function removeMade(directory: string, made: string): void {
  for (let empty = directory; empty.length >= made.length; empty = dirname(empty)) {
    try {
      rmdirSync(empty);
    } catch {
      return;
    }
  }
}

/** Makes a directory where there is none. @returns its path, and what of it was not there before */
function requireDirectory(out: string): { readonly directory: string; readonly made: string | undefined } {
  try {
    const made = mkdirSync(out, { recursive: true });
    return { directory: realpathSync(out), made: made && realpathSync(made) };
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

/** Writes files below a directory that is new. @returns how many */
function writeFiles(directory: string, files: Iterable<File>): number {
  let [count, parent] = [0, ""];
  for (const [path, content] of files) {
    const file = join(directory, path);
    if (dirname(file) !== parent) {
      parent = dirname(file);
      mkdirSync(parent, { recursive: true });
    }
    writeFileSync(file, content);
    count += 1;
  }
  return count;
}

function* below(folder: string, files: Iterable<RenderedFile>): Generator<File> {
  for (const { path, content } of files) yield [path.slice(folder.length + 1), content];
}

interface Places {
  readonly target: string;
  /** Where the new tree is made. */
  readonly fresh: string;
  /** Where the tree before is until the new one is in its place. */
  readonly old: string;
}

/** As `writeTree`, but for what a failure leaves. */
function replaceTree(
  { target, fresh, old }: Places,
  files: Iterable<File>,
  isOwn: (content: string) => boolean,
): TreeChanges {
  const stat = lstatSync(target, { throwIfNoEntry: false });
  if (stat === undefined) {
    const written = writeFiles(fresh, files);
    renameSync(fresh, target);
    return { written, removed: 0, unchanged: 0 };
  }
  if (!stat.isDirectory()) throw foreign(target, "is no directory");
  const before = readTree(target);
  for (const [path, content] of before)
    if (!isOwn(content)) throw foreign(join(target, path), "was not rendered, or was edited");
  const after = new Map(files);
  const written = [...after].filter(([path, content]) => before.get(path) !== content).length;
  const removed = [...before.keys()].filter((path) => !after.has(path)).length;
  const changes = { written, removed, unchanged: after.size - written };
  if (written === 0 && removed === 0) return changes;
  writeFiles(fresh, after);
  renameSync(target, old);
  try {
    renameSync(fresh, target);
  } catch (error) {
    renameSync(old, target);
    throw error;
  }
  rmSync(old, { recursive: true, force: true });
  return changes;
}

/**
 * Makes the folder `folder` of a directory hold exactly these files, all of them or none: they are written beside it
 * and then take its place. What an earlier rendering left there goes; what is no rendering's stops it. Where there is
 * no such folder yet, each file is written as it is made, and none is kept.
 *
 * @param files paths from the directory, all below the folder
 * @param isOwn whether a file that is there was written by an earlier rendering
 * @throws Fault when the folder has files of somebody else, or cannot be written, and what `files` throws; it is as it was then
 */
export function writeTree(
  out: string,
  folder: string,
  files: Iterable<RenderedFile>,
  isOwn: (content: string) => boolean,
): TreeChanges {
  const { directory, made } = requireDirectory(out);
  const target = join(directory, folder);
  const [fresh, old] = ["new", "old"].map((end) => join(directory, `.${folder}.${process.pid}.${end}`)) as [
    string,
    string,
  ];
  try {
    const stray = leftovers(directory, folder);
    const kept = stray.find((path) => path.endsWith(".old"));
    const isThere = lstatSync(target, { throwIfNoEntry: false }) !== undefined;
    // A run was killed after it had moved the folder away, and before the new one was in its place.
    if (kept !== undefined && !isThere) renameSync(kept, target);
    const changes = replaceTree({ target, fresh, old }, below(folder, files), isOwn);
    for (const path of stray) rmSync(path, { recursive: true, force: true });
    return changes;
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    if (made !== undefined) removeMade(directory, made);
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (syscall === undefined) throw error;
    throw new Fault({
      what: target,
      value: code ?? syscall,
      rule: existsSync(old)
        ? `could not be written, and what was there is in ${old}`
        : "could not be read or written; it is as it was",
      fix: "check the directory's rights and the disk's space",
    });
  }
}
