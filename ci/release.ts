import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { z } from "zod";
import { type Release, release as releaseSchema } from "../infra/config/images.ts";
import { Fault } from "../infra/fault.ts";
import { root } from "../infra/projectRoot.ts";

/** Where the CI systems keep who started the build. */
const actorVariables = [
  "GITHUB_ACTOR",
  "GITLAB_USER_LOGIN",
  "BUILD_REQUESTEDFOR",
  "BITBUCKET_STEP_TRIGGERER_UUID",
  "BUILD_USER_ID",
  "CHANGE_AUTHOR",
];

/** Who has this done: the CI system's user, else the machine's. */
export function actor(env: NodeJS.ProcessEnv = process.env): string {
  return (
    actorVariables.map((name) => env[name]).find((value) => value !== undefined && value !== "") ??
    userInfo().username
  );
}

/** The commit that is checked out; undefined outside of Git. */
export function headCommit(): string | undefined {
  try {
    return execFileSync("git", ["-C", root, "rev-parse", "HEAD"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  } catch {
    return undefined;
  }
}

/** Writes what a build made, for the deployments that run it. */
export function writeRelease(path: string, release: Release): void {
  writeFileSync(path, `${JSON.stringify(release, null, 2)}\n`);
}

/** @throws Fault when there is no such file, or it is not one that ci:build wrote */
export function readRelease(path: string): Release {
  const fix = "write it by npm run ci:build -- --images FILE, and hand it on as an artifact";
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new Fault({
      what: path,
      value: String((error as NodeJS.ErrnoException).code),
      rule: "must be readable",
      fix,
    });
  }
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch {
    throw new Fault({ what: path, rule: "must be JSON", fix });
  }
  const parsed = releaseSchema.safeParse(raw);
  if (parsed.success && Object.keys(parsed.data.workloads).length > 0) return parsed.data;
  throw new Fault({
    what: path,
    value: parsed.success ? "no workload" : z.prettifyError(parsed.error),
    rule: "must be an images record",
    fix,
  });
}

/** Whether two builds are the same images. */
export function sameImages(a: Release["workloads"], b: Release["workloads"]): boolean {
  const digests = (workloads: Release["workloads"]) =>
    JSON.stringify(
      Object.entries(workloads)
        .map(([name, { reference }]) => [name, reference.split("@")[1]])
        .sort(),
    );
  return digests(a) === digests(b);
}

/** `build 4711 (1a2b3c4d5e)`. */
export function describeRelease({ build, commit }: Release): string {
  return `build ${build}${commit === undefined ? "" : ` (${commit.slice(0, 10)})`}`;
}
