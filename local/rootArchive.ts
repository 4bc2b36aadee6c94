import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { unpackPackages } from "./debian.ts";
import { requireSpace } from "./disk.ts";
import { run } from "./run.ts";
import type { Settings } from "./settings.ts";

export interface RootArchiveArgs {
  /** What images of this kind are called in the cache. */
  readonly name: string;
  /** Changes whenever the content would. */
  readonly recipe: string;
  /** Packages of the machine's distribution that it is made from. */
  readonly packages: readonly string[];
  /** Space that a build takes, in GiB, rounded up. */
  readonly diskGiB: number;
  /** What it is for, in a message. */
  readonly what: string;
  /** Makes of the unpacked packages what the image holds. `work` is an empty place for it, removed afterwards. */
  readonly complete: (root: string, work: string) => Promise<void>;
  readonly onLine: (line: string) => void;
}

/** Where an image's file system is, or will be. */
export function rootArchivePath(
  settings: Settings,
  { name, recipe }: Pick<RootArchiveArgs, "name" | "recipe">,
): string {
  return join(settings.cacheDir, "images", `${name}-${recipe}.tar`);
}

/**
 * Builds the file system of an image into the cache, if it is not there. Needs apt's sources.
 *
 * @returns the path of the archive
 */
export async function provideRootArchive(settings: Settings, args: RootArchiveArgs): Promise<string> {
  const { name, packages, diskGiB, what, complete, onLine } = args;
  const archive = rootArchivePath(settings, args);
  if (existsSync(archive)) return archive;
  const directory = dirname(archive);
  requireSpace([directory], diskGiB, what);
  mkdirSync(directory, { recursive: true });
  // What an interrupted build left, and the images of older recipes.
  for (const entry of readdirSync(directory)) {
    if (entry.startsWith(`${name}-`) || entry.startsWith(`.part-${name}-`))
      rmSync(join(directory, entry), { recursive: true, force: true });
  }
  const work = mkdtempSync(join(directory, `.part-${name}-`));
  try {
    const root = join(work, "root");
    onLine(`unpacking ${packages.join(", ")}`);
    await unpackPackages(settings, packages, root);
    await complete(root, work);
    onLine("packing");
    const part = join(work, "image.tar");
    await run("/usr/bin/tar", ["-C", root, "--numeric-owner", "--sort=name", "--mtime=@0", "-cf", part, "."]);
    renameSync(part, archive);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return archive;
}
