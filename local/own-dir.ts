import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Fault } from "../infra/fault.ts";

/** Shows that a directory is the environment's: stop deletes no other. */
const MARKER = ".slipway";

/** What deliveries keep beside the environment, perhaps before there is one. */
const deliveries: readonly string[] = ["pulumi"];

/** Stops when the directory holds something that is not the environment's. */
export function checkOwnDir(directory: string): void {
  if (isOurs(directory)) return;
  throw new Fault({
    what: "directory",
    value: directory,
    rule: "must be empty, absent, or made by an earlier start",
    fix: "set SLIPWAY_STATE_DIR or SLIPWAY_RUN_DIR to another path",
  });
}

/** Makes the directory and marks it. */
export function claimOwnDir(directory: string): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  writeFileSync(join(directory, MARKER), "");
}

/** Deletes the directory if it is the environment's. */
export function removeOwnDir(directory: string): void {
  if (!existsSync(directory) || !isOurs(directory)) return;
  for (const name of readdirSync(directory)) {
    // The mark goes last: a removal that was interrupted can be repeated.
    if (name !== MARKER) rmSync(join(directory, name), { recursive: true, force: true });
  }
  rmSync(directory, { recursive: true, force: true });
}

function isOurs(directory: string): boolean {
  const present = existsSync(directory) ? readdirSync(directory) : [];
  return present.includes(MARKER) || present.every((name) => deliveries.includes(name));
}
