import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Fault } from "../infra/fault.ts";
import { ask } from "./run.ts";

/** A Go that can compile a module. */
export interface Go {
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
export async function findGo(module: string, required: boolean): Promise<Go | undefined> {
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
export function goEnv(file: string): Record<string, string> {
  return { PATH: `${dirname(file)}:${process.env.PATH ?? ""}`, GOWORK: "off", CGO_ENABLED: "0" };
}
