import type { Pulumi } from "../pulumi.ts";
import { Stack } from "../stack.ts";
import { prefix } from "./name.ts";

/** Tags of an ephemeral stack in Pulumi's backend. */
export const tags = { expires: "slipway:expires", name: "slipway:name", branch: "slipway:branch" } as const;

/** Milliseconds in which a stack that is being made has no tags yet. */
const youth = 3_600_000;

/** An ephemeral stack as the backend knows it. */
export interface EphemeralStack {
  readonly stack: Stack;
  /** What it was asked for by. */
  readonly name: string;
  /** Set where a branch of that name was there. */
  readonly branch: string | undefined;
  /** When it may be destroyed, in milliseconds since 1970. */
  readonly expires: number;
}

interface Listed {
  readonly name: string;
  readonly lastUpdate?: string;
}

async function describe(pulumi: Pulumi, { name, lastUpdate }: Listed): Promise<EphemeralStack> {
  const stack = new Stack(pulumi, name);
  const found = await stack.tags();
  const expires = Date.parse(found[tags.expires] ?? "");
  return {
    stack,
    name: found[tags.name] ?? name,
    branch: found[tags.branch],
    // Without a date, whoever made it was interrupted before it had anything.
    expires: Number.isNaN(expires) ? Date.parse(lastUpdate ?? "1970-01-01") + youth : expires,
  };
}

/** The ephemeral stacks that there are. */
export async function ephemeralStacks(pulumi: Pulumi): Promise<EphemeralStack[]> {
  const all = await pulumi.json<Listed[]>(["stack", "ls", "--json"]);
  const found: EphemeralStack[] = [];
  for (const listed of all.filter(({ name }) => name.startsWith(prefix)))
    found.push(await describe(pulumi, listed));
  return found;
}
