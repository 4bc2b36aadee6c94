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
import { Fault } from "../infra/fault.ts";
import { requireSpace } from "./disk.ts";
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
  /** Files of a module that belong to its program, kept beside it by their base names. */
  readonly files?: { readonly module: string; readonly paths: readonly string[] };
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

export const volumesTools: ToolFamily = { name: "volumes", diskGiB: 1 };

/** Version of Argo CD in tools/argocd/go.mod; a test keeps the two equal. */
export const ARGOCD_VERSION = "v3.2.11";

/** One program that is every part of Argo CD, by the name that it is called by. */
export const argocdTools: ToolFamily = {
  name: "argocd",
  rename: { cmd: "argocd" },
  ldflags: `-X github.com/argoproj/argo-cd/v3/common.version=${ARGOCD_VERSION.slice(1)}`,
  files: {
    module: "github.com/argoproj/argo-cd/v3",
    paths: [
      "manifests/core-install.yaml",
      "manifests/install.yaml",
      "hack/gpg-wrapper.sh",
      "hack/git-verify-wrapper.sh",
    ],
  },
  diskGiB: 6,
};

/** Version of Argo Rollouts in tools/rollouts/go.mod; a test keeps the two equal. */
export const ROLLOUTS_VERSION = "v1.10.1";

/** The controller of canary and blue-green releases. */
export const rolloutsTools: ToolFamily = {
  name: "rollouts",
  ldflags: `-X github.com/argoproj/argo-rollouts/utils/version.version=${ROLLOUTS_VERSION}`,
  files: { module: "github.com/argoproj/argo-rollouts", paths: ["manifests/install.yaml"] },
  diskGiB: 6,
};

/** The real Helm, by which a rendered chart is tested and compared. */
export const helmTools: ToolFamily = { name: "helm", diskGiB: 2 };

/** Flux's controllers: a test runs them, and nothing else needs them. */
export const fluxSourceTools: ToolFamily = {
  name: "flux-source",
  files: {
    module: "github.com/fluxcd/source-controller",
    paths: ["buckets", "gitrepositories", "helmcharts", "helmrepositories", "ocirepositories"].map(
      (plural) => `config/crd/bases/source.toolkit.fluxcd.io_${plural}.yaml`,
    ),
  },
  diskGiB: 4,
};
export const fluxKustomizeTools: ToolFamily = {
  name: "flux-kustomize",
  files: {
    module: "github.com/fluxcd/kustomize-controller",
    paths: ["config/crd/bases/kustomize.toolkit.fluxcd.io_kustomizations.yaml"],
  },
  diskGiB: 4,
};

/** What checks and tries out the alert rules. */
export const promtoolTools: ToolFamily = { name: "promtool", diskGiB: 4 };

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

interface Go {
  readonly file: string;
  readonly version: string;
  readonly cache: string;
  readonly modules: string;
}

/**
 * The first Go that is new enough for a module, on PATH and then in its usual places. From 1.21 on, Go fetches the
 * version that a module asks for by itself, unless it is told not to.
 *
 * @param required whether to stop when there is none, rather than give undefined
 */
async function findGo(module: string, required: boolean): Promise<Go | undefined> {
  const wanted = /^go (\S+)$/m.exec(readFileSync(join(module, "go.mod"), "utf8"))?.[1] ?? "";
  const places = [...(process.env.PATH ?? "").split(":"), "/usr/local/go/bin", "/usr/lib/go/bin"];
  const files = [...new Set(places.map((place) => join(place, "go")))].filter((file) => existsSync(file));
  const unfit: string[] = [];
  for (const file of files) {
    const said = await ask(file, ["env", "GOVERSION", "GOCACHE", "GOMODCACHE"], {
      cwd: module,
      env: goEnv(file),
    });
    const [version = "", cache = "", modules = ""] = said?.split("\n") ?? [];
    if (atLeast(version, wanted)) return { file, version, cache, modules };
    const own = await ask(file, ["version"], { cwd: "/", env: { ...goEnv(file), GOTOOLCHAIN: "local" } });
    unfit.push(`${file} is ${/go\d\S*/.exec(own ?? "")?.[0] ?? "broken"}`);
  }
  if (!required) return undefined;
  throw new Fault({
    what: "Go",
    value: unfit.join(", ") || "not found on PATH",
    rule: `must be ${wanted} or newer: the tools are compiled once`,
    fix: `install Go ${wanted} or newer from https://go.dev/dl and put it on PATH; nothing was changed`,
  });
}

/** Whether Go's own name of a version, such as go1.26.8, is at least the number in a go.mod. */
export function atLeast(version: string, wanted: string): boolean {
  const numbers = (text: string) =>
    (/^(?:go)?(\d+)\.(\d+)(?:\.(\d+))?/.exec(text) ?? []).slice(1, 4).map((part) => Number(part ?? 0));
  const [has, needs] = [numbers(version), numbers(wanted)];
  const differing = needs.findIndex((number, at) => number !== has[at]);
  return has.length === 3 && (differing < 0 || (has[differing] ?? 0) > (needs[differing] ?? 0));
}

/** Go runs other programs of its own distribution and git: it gets the caller's PATH. */
function goEnv(file: string): Record<string, string> {
  return { PATH: `${dirname(file)}:${process.env.PATH ?? ""}`, GOWORK: "off", CGO_ENABLED: "0" };
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
