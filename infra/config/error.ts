/** One thing wrong with what the user gave: which key, its value, the rule it breaks, and what to do. */
export interface Problem {
  /** Where it is, as the user writes it: `slipway:workloads.api.replicas`. */
  readonly key: string;
  /** The offending value; leave out when it is a secret or absent. */
  readonly value?: unknown;
  /** The rule, as "must …" or "is …". */
  readonly rule: string;
  /** What to do about it, as an imperative sentence. */
  readonly hint?: string;
}

function format({ key, value, rule, hint }: Problem): string {
  const shown = value === undefined ? "" : ` = ${JSON.stringify(value)}`;
  return `${key}${shown}: ${rule}.${hint === undefined ? "" : ` ${hint}.`}`;
}

/**
 * Bad input. Pulumi takes it for a `pulumi.RunError`: it prints the message alone, without a stack trace, and stops
 * before any resource is registered.
 */
export class InputError extends Error {
  /** How Pulumi's SDK knows a RunError. Its class is not extended: configuration is checked where no SDK is loaded. */
  readonly __pulumiRunError = true;
  readonly problems: readonly Problem[];

  constructor(problems: Problem | readonly Problem[]) {
    const list = Array.isArray(problems) ? (problems as readonly Problem[]) : [problems as Problem];
    super(list.map(format).join("\n"));
    this.name = "InputError";
    this.problems = list;
  }
}
