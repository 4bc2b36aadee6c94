/** What is wrong, in the four parts a reader needs to act. */
export interface FaultParts {
  /** The thing: a key, a port, a process. */
  readonly what: string;
  /** What it is now. */
  readonly value?: string;
  /** What it has to be. */
  readonly rule: string;
  /** What the reader can do. */
  readonly fix?: string;
  /** Last lines of the log that tells why, if there is one. */
  readonly log?: string;
}

/** An error a person can act on: printed as its message, without a stack. Anything else that is thrown is a bug. */
export class Fault extends Error {
  readonly parts: FaultParts;

  constructor(parts: FaultParts) {
    const head = [parts.what, parts.value].filter((part) => part !== undefined).join(": ");
    const lines = [`${head}: ${parts.rule}`];
    if (parts.log) lines.push(parts.log.trimEnd().replace(/^/gm, "  | "));
    if (parts.fix !== undefined) lines.push(`  → ${parts.fix}`);
    super(lines.join("\n"));
    this.name = "Fault";
    this.parts = parts;
  }
}

/** Message of anything thrown: a Fault's as it is, a bug's with its stack. */
export function explain(error: unknown): string {
  if (error instanceof Fault || (error instanceof Error && error.name === "InputError")) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
