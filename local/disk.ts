import { statfsSync } from "node:fs";
import { dirname } from "node:path";
import { Fault } from "../infra/fault.ts";

/**
 * Stops when one of these paths, which need not exist yet, is on a file system with too little room.
 *
 * @param purpose what the room is for, for the message
 */
export function requireSpace(paths: readonly string[], gib: number, purpose: string): void {
  for (const path of paths) {
    const free = freeBytes(path) / 2 ** 30;
    if (free >= gib) continue;
    throw new Fault({
      what: `free space for ${path}`,
      value: `${free.toFixed(1)} GiB`,
      rule: `must be at least ${gib} GiB for ${purpose}`,
      fix: "free some space on that file system, then run `npm start` again",
    });
  }
}

function freeBytes(path: string): number {
  try {
    const { bavail, bsize } = statfsSync(path);
    return bavail * bsize;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT" && path !== "/") return freeBytes(dirname(path));
    throw error;
  }
}
