import { createHash } from "node:crypto";
import { Fault } from "../../infra/fault.ts";

/** Begins the name of every ephemeral stack, so that none is ever taken for a permanent one. */
export const prefix = "eph-";

/** What is left of a name, at most: with prefix and hash a Kubernetes namespace takes it, and so does a DNS label. */
const longest = 40;

/**
 * Name of the stack of a branch: `eph-` and the branch in lower-case letters, digits and dashes. Where that is not the
 * branch's very name, the first digits of the branch's hash follow, so that no two branches share a stack.
 *
 * @throws Fault when nothing of the name is left
 */
export function ephemeralName(branch: string): string {
  const safe = branch
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .slice(0, longest)
    .replaceAll(/^-+|-+$/g, "");
  if (safe === "") {
    throw new Fault({
      what: "NAME",
      value: JSON.stringify(branch),
      rule: "must have a letter or a digit in it",
      fix: "name the branch, or anything else that tells the stack from others",
    });
  }
  if (safe === branch) return `${prefix}${safe}`;
  return `${prefix}${safe}-${createHash("sha256").update(branch).digest("hex").slice(0, 6)}`;
}
