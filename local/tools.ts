import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { requireSpace } from "./disk.ts";
import { digestOf } from "./files.ts";
import { findGo, type Go, goEnv } from "./go.ts";
import { buildMark } from "./process.ts";
import { run } from "./run.ts";
import type { Settings } from "./settings.ts";
import type { ToolFamily } from "./toolFamilies.ts";

/** A built family: where its programs are, and a name for exactly this build. */
export interface Tools {
  readonly bin: string;
  /** Directory of the family's {@link ToolFamily.files}. */
  readonly share: string;
  readonly version: string;
}

/** How far a build is: one line for people. */
export type Progress = (line: string) => void;

const toolsDir = new URL("tools/", import.meta.url).pathname;

/** The directory that holds all built tools. */
export function toolCache(settings: Settings): string {
  return join(settings.cacheDir, "tools");
}

/** Where a family's programs are or will be, and the Go to build them with where they are not. */
interface Plan {
  readonly tools: Tools;
  readonly source: string;
  readonly flags: readonly string[];
  readonly go: Go | undefined;
}

async function plan(settings: Settings, family: ToolFamily): Promise<Plan> {
  const source = join(toolsDir, family.name);
  const flags = ["-trimpath", "-ldflags", `-s -w ${family.ldflags ?? ""}`.trim()];
  const inputs = readdirSync(source, { recursive: true, encoding: "utf8" })
    .filter((file) => /^go\.(mod|sum)$|\.go$/.test(file))
    .sort();
  const content = digestOf(
    ...inputs.map((file) => readFileSync(join(source, file))),
    flags.join(" "),
    ...(family.files?.paths ?? []),
  );
  const prefix = `${family.name}-${content}-`;
  const cache = toolCache(settings);
  const builds = existsSync(cache) ? readdirSync(cache).filter((entry) => entry.startsWith(prefix)) : [];
  // A machine that built everything and then lost Go still runs.
  const found = await findGo(source, builds.length === 0);
  const version = found === undefined ? (builds[0] ?? "") : `${prefix}${found.version}`;
  const go = builds.includes(version) ? undefined : found;
  const tools = { bin: join(cache, version, "bin"), share: join(cache, version, "share"), version };
  return { tools, source, flags, go };
}

/** Stops when a family would have to be built and could not be: Go or space is missing. */
export async function checkTools(settings: Settings, family: ToolFamily): Promise<void> {
  const { go } = await plan(settings, family);
  if (go === undefined) return;
  requireSpace([toolCache(settings), go.cache, go.modules], family.diskGiB, `compiling ${family.name}`);
}

/**
 * The programs of a family, built now if this version was not built on this machine before.
 *
 * A result is published by one rename, so an interrupted build is never taken for a whole one; what it compiled
 * stays in Go's own cache, and the next one goes on from there.
 */
export async function provideTools(
  settings: Settings,
  family: ToolFamily,
  progress: Progress,
): Promise<Tools> {
  const { tools, source, flags, go } = await plan(settings, family);
  if (go !== undefined) await build(settings, family, source, flags, dirname(tools.bin), go, progress);
  return tools;
}

async function build(
  settings: Settings,
  family: ToolFamily,
  source: string,
  flags: readonly string[],
  target: string,
  go: Go,
  progress: Progress,
): Promise<void> {
  const cache = toolCache(settings);
  mkdirSync(cache, { recursive: true });
  removeParts(cache, family.name);
  const part = mkdtempSync(join(cache, `.part-${family.name}-`));
  const bin = join(part, "bin");
  mkdirSync(bin);
  chmodSync(part, 0o755);
  const env = {
    ...buildMark(settings),
    ...goEnv(go.file),
    GOBIN: bin,
    GOFLAGS: withoutConflicts(process.env.GOFLAGS ?? ""),
  };
  const fix =
    "check that this machine reaches its Go module proxy (`go env GOPROXY`), then run `npm start` again: it goes on where it stopped";

  progress("reading the module graph");
  let downloaded = 0;
  const listed = await run(go.file, ["list", "-deps", "tool"], {
    cwd: source,
    env,
    fix,
    onLine: (line) => {
      const module = /^go: downloading (\S+)/.exec(line)?.[1];
      if (module !== undefined) progress(`downloading module ${++downloaded}: ${module}`);
    },
  });
  const total = listed.split("\n").length;
  let compiled = 0;
  await run(go.file, ["install", "-v", ...flags, "tool"], {
    cwd: source,
    env,
    fix,
    onLine: (line) => {
      if (!line.startsWith("go: ")) progress(`compiling ${++compiled}/${total} ${line}`);
    },
  });
  for (const [from, to] of Object.entries(family.rename ?? {})) renameSync(join(bin, from), join(bin, to));
  if (family.files !== undefined) {
    const { module, paths } = family.files;
    const directory = await run(go.file, ["list", "-m", "-f", "{{.Dir}}", module], { cwd: source, env, fix });
    mkdirSync(join(part, "share"));
    for (const path of paths) copyFileSync(join(directory, path), join(part, "share", basename(path)));
  }
  renameSync(part, target);
  removeOldBuilds(cache, family.name);
}

/** What interrupted builds left. Safe under the machine's lock: nobody else is building. */
function removeParts(cache: string, name: string): void {
  for (const entry of readdirSync(cache)) {
    if (entry.startsWith(`.part-${name}-`)) rmSync(join(cache, entry), { recursive: true, force: true });
  }
}

/** A build takes over half a GiB: this one stays and the one before, for going back and forth between two branches. */
function removeOldBuilds(cache: string, name: string): void {
  const builds = readdirSync(cache)
    .filter((entry) => entry.startsWith(`${name}-`))
    .map((entry) => join(cache, entry))
    .sort((one, other) => statSync(other).mtimeMs - statSync(one).mtimeMs);
  for (const build of builds.slice(2)) rmSync(build, { recursive: true, force: true });
}

/** The caller's GOFLAGS without those that say what is built: the cache's key must tell everything about a build. */
function withoutConflicts(flags: string): string {
  const kept = flags.split(/\s+/).filter((flag) => /^-(p|modcacherw|insecure|buildvcs)\b/.test(flag));
  return [...kept.filter((flag) => !flag.startsWith("-buildvcs")), "-buildvcs=false"].join(" ");
}
