import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from "node:fs";
import { join } from "node:path";
import { requireSpace } from "./disk.ts";
import { Fault } from "./fault.ts";
import { digestOf } from "./files.ts";
import { buildMark } from "./process.ts";
import { ask, run } from "./run.ts";
import type { Settings } from "./settings.ts";

/** Programs that are built together from the `tool` lines of one go.mod, `tools/<name>/go.mod`. */
export interface ToolFamily {
  readonly name: string;
  /** Names under which the programs are kept, where they differ from what Go calls them. */
  readonly rename?: Readonly<Record<string, string>>;
  readonly ldflags?: string;
  /** Space that a build from nothing takes in Go's caches and the result, in GiB, rounded up. */
  readonly diskGiB: number;
}

/** Version of Kubernetes in tools/kubernetes/go.mod; a test keeps the two equal. */
export const KUBERNETES_VERSION = "v1.35.4";

const [major = "", minor = ""] = KUBERNETES_VERSION.slice(1).split(".");
const versionPackage = "k8s.io/component-base/version";

export const kubernetesTools: ToolFamily = {
  name: "kubernetes",
  rename: { server: "etcd" },
  // Without these the programs call themselves v0.0.0-master, and clients refuse that.
  ldflags: Object.entries({
    gitVersion: KUBERNETES_VERSION,
    gitMajor: major,
    gitMinor: minor,
    gitTreeState: "clean",
  })
    .map(([key, value]) => `-X ${versionPackage}.${key}=${value}`)
    .join(" "),
  diskGiB: 8,
};

export const pauseTools: ToolFamily = { name: "pause", diskGiB: 1 };

/** A built family: where its programs are, and a name for exactly this build. */
export interface Tools {
  readonly bin: string;
  readonly version: string;
}

/** How far a build is: one line for people. */
export type Progress = (line: string) => void;

const toolsDir = new URL("tools/", import.meta.url).pathname;

/** The directory that holds all built tools. */
export function toolCache(settings: Settings): string {
  return join(settings.cacheDir, "tools");
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
  const source = join(toolsDir, family.name);
  const flags = ["-trimpath", "-ldflags", `-s -w ${family.ldflags ?? ""}`.trim()];
  const inputs = readdirSync(source)
    .filter((file) => /^go\.(mod|sum)$|\.go$/.test(file))
    .sort();
  const content = digestOf(...inputs.map((file) => readFileSync(join(source, file))), flags.join(" "));
  const prefix = `${family.name}-${content}-`;
  const go = await findGo(source, existing(settings, prefix) !== undefined);
  // A machine that built everything and then lost Go still runs.
  const version = go === undefined ? existing(settings, prefix) : `${prefix}${go.version}`;
  if (version === undefined) throw new Error("unreachable: without Go there is an existing build");
  const target = join(toolCache(settings), version);
  if (go !== undefined && !existsSync(target)) {
    requireSpace([toolCache(settings), go.cache, go.modules], family.diskGiB, `compiling ${family.name}`);
    await build(settings, family, source, flags, target, go, progress);
  }
  return { bin: join(target, "bin"), version };
}

function existing(settings: Settings, prefix: string): string | undefined {
  const cache = toolCache(settings);
  return existsSync(cache) ? readdirSync(cache).find((entry) => entry.startsWith(prefix)) : undefined;
}

interface Go {
  readonly file: string;
  readonly version: string;
  readonly cache: string;
  readonly modules: string;
}

/** Go for a module: the one on PATH, else in its usual place. Undefined only where a build exists and Go does not. */
async function findGo(module: string, built: boolean): Promise<Go | undefined> {
  const wanted = /^go (\S+)$/m.exec(readFileSync(join(module, "go.mod"), "utf8"))?.[1] ?? "";
  const candidates = [...(process.env["PATH"] ?? "").split(":"), "/usr/local/go/bin", "/usr/lib/go/bin"];
  const file = candidates
    .map((directory) => join(directory, "go"))
    .find((candidate) => existsSync(candidate));
  const fix = `install Go ${wanted} or newer from https://go.dev/dl and put it on PATH (Go 1.21 and newer fetch it by themselves unless GOTOOLCHAIN=local)`;
  if (file === undefined) {
    if (built) return undefined;
    throw new Fault({
      what: "Go",
      value: "not found on PATH",
      rule: `is needed to build the tools, ${wanted} or newer`,
      fix,
    });
  }
  const keys = ["GOVERSION", "GOCACHE", "GOMODCACHE"];
  const said = await ask(file, ["env", ...keys], { cwd: module, env: goEnv(file) });
  const [version, cache, modules] = said?.split("\n") ?? [];
  if (version === undefined || cache === undefined || modules === undefined) {
    if (built) return undefined;
    const own = (await ask(file, ["version"], { cwd: "/", env: goEnv(file) })) ?? "does not run";
    throw new Fault({ what: file, value: own, rule: `must be Go ${wanted} or newer`, fix });
  }
  return { file, version, cache, modules };
}

/** Go runs other programs of its own distribution and git: it gets the caller's PATH. */
function goEnv(file: string): Record<string, string> {
  return {
    PATH: `${file.slice(0, -"/go".length)}:${process.env["PATH"] ?? ""}`,
    GOWORK: "off",
    CGO_ENABLED: "0",
  };
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
  const part = mkdtempSync(join(cache, `.part-${family.name}-`));
  const bin = join(part, "bin");
  mkdirSync(bin);
  chmodSync(part, 0o755);
  const env = {
    ...buildMark(settings),
    ...goEnv(go.file),
    GOBIN: bin,
    GOFLAGS: withoutConflicts(process.env["GOFLAGS"] ?? ""),
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
  renameSync(part, target);
}

/** The caller's GOFLAGS without those that say what is built: the cache's key must tell everything about a build. */
function withoutConflicts(flags: string): string {
  const kept = flags.split(/\s+/).filter((flag) => /^-(p|modcacherw|insecure|buildvcs)\b/.test(flag));
  return [...kept.filter((flag) => !flag.startsWith("-buildvcs")), "-buildvcs=false"].join(" ");
}
