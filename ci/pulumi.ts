import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { Fault } from "../infra/fault.ts";
import { root } from "../infra/projectRoot.ts";
import { findPulumi, type PulumiCli } from "../local/deliver/engine.ts";
import { claimAbandoned, forgetRun, lockIn, noteRun } from "./lock.ts";
import type { PreviewJson } from "./preview/changes.ts";

/** Lines of the CLI's output that a failure shows. */
const shownLines = 40;

export interface RunOptions {
  /** Directory of the project. Default: this repository. */
  readonly cwd?: string;
  /** Called with each line of either stream as it comes. */
  readonly onLine?: (line: string) => void;
}

export interface LockedRunOptions extends RunOptions {
  readonly stack: string;
  /** Seconds to wait for another update of the stack to end. */
  readonly waitSeconds: number;
  /** Told whom it waits for. */
  readonly onWait: (holder: string) => void;
}

interface Result {
  readonly failed: boolean;
  readonly stdout: string;
  readonly lines: readonly string[];
  readonly end: string;
}

/** A stack was being updated for as long as this run was to wait. */
export class StackLocked extends Fault {}

/** The Pulumi CLI, in this project and on the backend that it is logged in to. */
export class Pulumi {
  readonly #cli: PulumiCli;

  constructor(cli: PulumiCli) {
    this.#cli = cli;
  }

  /** @throws Fault where there is no CLI and none to be had */
  static async find(env: NodeJS.ProcessEnv = process.env): Promise<Pulumi> {
    const cli = await findPulumi(env);
    if (cli !== undefined) return new Pulumi(cli);
    throw new Fault({
      what: "pulumi",
      rule: "must be on PATH, or to be had from npm",
      fix: "install the Pulumi CLI",
    });
  }

  /** Runs a command that reads. @returns its standard output @throws Fault with its last lines */
  async run(args: readonly string[], options: RunOptions = {}): Promise<string> {
    const result = await this.#spawn(args, options);
    if (result.failed) throw failure(args, result);
    return result.stdout;
  }

  /** The same for a command that prints JSON. */
  async json<T>(args: readonly string[], options: RunOptions = {}): Promise<T> {
    return JSON.parse(await this.run(args, options)) as T;
  }

  /** Runs a preview, which tells in its JSON what it found, and in its diagnostics why it failed. */
  async preview(
    args: readonly string[],
    options: RunOptions = {},
  ): Promise<PreviewJson & { readonly failure?: string }> {
    const { failed, stdout, lines } = await this.#spawn(args, options);
    let json: PreviewJson = {};
    try {
      json = JSON.parse(stdout) as PreviewJson;
    } catch {
      // It failed before it had anything to tell.
    }
    if (!failed) return json;
    const errors = (json.diagnostics ?? []).filter(({ severity }) => severity === "error");
    const said = errors.map(({ message }) => message.trim()).join("\n");
    // Not its standard output, which holds the whole state.
    const rest = lines.filter((line) => !stdout.includes(line));
    return {
      ...json,
      failure: [said, ...rest]
        .filter((text) => text !== "")
        .slice(-shownLines)
        .join("\n"),
    };
  }

  /**
   * Runs a command that changes a stack. One that finds the stack locked waits for its turn. The lock of an update
   * that was killed on this machine is cleared; of one elsewhere nobody here can know whether it runs.
   *
   * @throws Fault with its last lines, or with how to clear the lock when the wait is over
   */
  async change(args: readonly string[], options: LockedRunOptions): Promise<string> {
    const { stack, waitSeconds, onWait } = options;
    const deadline = Date.now() + waitSeconds * 1000;
    for (;;) {
      const result = await this.#spawn(args, options, stack);
      if (!result.failed) return result.stdout;
      const lock = lockIn(result.lines);
      if (lock === undefined) throw failure(args, result);
      if (claimAbandoned(stack, lock)) {
        await this.run(["cancel", "--yes", "--stack", stack]);
        continue;
      }
      if (Date.now() > deadline) {
        throw new StackLocked({
          what: `stack ${stack}`,
          value: `locked by ${lock.holder}`,
          rule: `is being updated, and was for the ${waitSeconds} s that this run waited`,
          fix: `run this again when that update has ended; if it was killed, clear its lock: pulumi cancel --stack ${stack}`,
        });
      }
      onWait(lock.holder);
      await sleep(Math.min(3000, waitSeconds * 1000));
    }
  }

  async #spawn(
    args: readonly string[],
    { cwd = root, onLine }: RunOptions,
    changing?: string,
  ): Promise<Result> {
    const { command, args: first } = this.#cli;
    let pass: (signal: NodeJS.Signals) => void = () => {};
    const listener = (signal: NodeJS.Signals) => pass(signal);
    // Before it starts: from its first moment on, an interruption is its own.
    process.on("SIGINT", listener).on("SIGTERM", listener);
    const subprocess = execa(command, [...first, ...args, "--non-interactive", "--color", "never"], {
      cwd,
      env: {
        // The program needs the project's own Node.js.
        PATH: `${join(root, "node_modules/.bin")}${delimiter}${process.env.PATH ?? ""}`,
        PULUMI_SKIP_UPDATE_CHECK: "1",
      },
      reject: false,
      all: true,
      stdin: "ignore",
      // A process group of its own: who interrupts this one is passed on once, and an update that outlives it ends well.
      detached: true,
      cleanup: false,
    });
    pass = (signal) => void subprocess.kill(signal);
    const { pid } = subprocess;
    if (changing !== undefined && pid !== undefined) noteRun(changing, pid);
    try {
      const lines: string[] = [];
      for await (const line of subprocess.iterable({ from: "all" })) {
        if (line.trim() === "") continue;
        lines.push(line);
        onLine?.(line.trim());
      }
      const { failed, stdout, code, exitCode, signal } = await subprocess;
      return { failed, stdout, lines, end: code ?? (signal === undefined ? `exit ${exitCode}` : signal) };
    } finally {
      process.off("SIGINT", listener).off("SIGTERM", listener);
      if (changing !== undefined && pid !== undefined) forgetRun(changing, pid);
    }
  }
}

function failure(args: readonly string[], { lines, end }: Result): Fault {
  return new Fault({
    what: `pulumi ${args.join(" ")}`,
    rule: `must succeed (${end})`,
    log: lines.slice(-shownLines).join("\n"),
  });
}
