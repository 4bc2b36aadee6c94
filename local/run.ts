import { execa } from "execa";
import { Fault } from "../infra/fault.ts";

/** Search path of every process: the system's, never the caller's. */
export const SYSTEM_PATH = "/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin";

export interface RunOptions {
  /** Standard input; where secrets go, for arguments are visible to every user of the machine. */
  readonly input?: string;
  readonly cwd?: string;
  /** Added to the caller's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Called with each line of either stream as it comes. */
  readonly onLine?: (line: string) => void;
  /** What to do when it fails, for the message. */
  readonly fix?: string;
  /** Given up after this many seconds. */
  readonly timeoutSeconds?: number;
}

/**
 * Runs a program to its end and gives its standard output, without the last newline.
 *
 * @throws Fault with the last lines of its standard error.
 */
export async function run(file: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { input, cwd, env, onLine, fix, timeoutSeconds } = options;
  const subprocess = execa(file, args, {
    reject: false,
    env: { PATH: SYSTEM_PATH, LC_ALL: "C.UTF-8", ...env },
    ...(input === undefined ? { stdin: "ignore" as const } : { input }),
    ...(cwd === undefined ? {} : { cwd }),
    ...(timeoutSeconds === undefined ? {} : { timeout: timeoutSeconds * 1000 }),
    ...(onLine === undefined ? {} : { all: true as const }),
  });
  if (onLine !== undefined)
    for await (const line of subprocess.iterable({ from: "all" })) onLine(String(line));
  const result = await subprocess;
  if (!result.failed) return String(result.stdout);
  const said = String(result.stderr ?? "").trim() || String(result.stdout ?? "").trim();
  throw new Fault({
    what: [file, ...args].join(" "),
    value: result.timedOut
      ? `no end after ${timeoutSeconds} s`
      : (result.code ?? `exit ${result.exitCode ?? result.signal}`),
    rule: "must succeed",
    log: said.split("\n").slice(-15).join("\n"),
    ...(fix === undefined ? {} : { fix }),
  });
}

/** Like {@link run}, for a question whose answer may be "no": undefined when the program fails or is not there. */
export async function ask(
  file: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string | undefined> {
  try {
    return await run(file, args, options);
  } catch (error) {
    if (error instanceof Fault) return undefined;
    throw error;
  }
}
