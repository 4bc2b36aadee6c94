import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { installedPulumi } from "../../local/deliver/engine.ts";
import type { Workspace } from "./workspace.ts";

/** The Pulumi CLI on PATH, or nothing: engine tests run only where there is one. */
export const pulumiCommand = installedPulumi(process.env);

if (pulumiCommand === undefined)
  console.warn("Skipped: the engine tests need the Pulumi CLI on PATH, and there is none.");

/** A step that an update would take. */
export interface PlannedStep {
  readonly op: string;
  readonly type: string;
  /** Paths of the inputs that change. */
  readonly changed: readonly string[];
  /** Those of them that replace the resource. */
  readonly replacing: readonly string[];
}

/** A stack of a workspace in a file backend of its own, driven as ops would from the project's directory. */
export class PulumiStack {
  readonly #workspace: Workspace;
  readonly #state = mkdtempSync(join(tmpdir(), "slipway-state-"));

  readonly #env: Record<string, string>;

  /** @param env added to the CLI's environment */
  constructor(workspace: Workspace, env: Record<string, string> = {}) {
    this.#workspace = workspace;
    this.#env = env;
  }

  /** Environment of the CLI, for other commands on the same backend. */
  get env(): Record<string, string> {
    return {
      ...this.#env,
      PATH: `${this.#workspace.path}/node_modules/.bin:${this.#env.PATH ?? process.env.PATH}`,
      PULUMI_BACKEND_URL: `file://${this.#state}`,
      PULUMI_CONFIG_PASSPHRASE: "test",
      PULUMI_SKIP_UPDATE_CHECK: "1",
    };
  }

  /** Runs `pulumi` in the workspace. @throws with its output when it fails */
  async run(...args: string[]): Promise<string> {
    const { all, stdout, failed } = await execa(
      pulumiCommand as string,
      [...args, "--non-interactive", "--color", "never"],
      { cwd: this.#workspace.path, env: this.env, all: true, reject: false, stdin: "ignore" },
    );
    if (failed) throw new Error(all);
    return stdout;
  }

  async init(stack: string = this.#workspace.stack): Promise<void> {
    await this.run("stack", "init", stack);
  }

  async up(stack: string = this.#workspace.stack): Promise<string> {
    return this.run("up", "--yes", "--skip-preview", "--stack", stack);
  }

  /** An output of a stack; a secret one is `[secret]`. */
  async output(stack: string, name: string): Promise<unknown> {
    return (
      JSON.parse(await this.run("stack", "output", "--json", "--stack", stack)) as Record<string, unknown>
    )[name];
  }

  /** Steps that an update would take, by kind: `{ same: 20, update: 1 }`. */
  async preview(): Promise<Record<string, number>> {
    const { changeSummary } = JSON.parse(
      await this.run("preview", "--json", "--stack", this.#workspace.stack),
    ) as { changeSummary: Record<string, number> };
    // A stack of its own platform reads its own outputs, and a read changes nothing.
    const { read: _, ...steps } = changeSummary;
    return steps;
  }

  /** What an update would do to each resource that does not stay the same, by logical name. */
  async plan(): Promise<Readonly<Record<string, PlannedStep>>> {
    const { steps } = JSON.parse(await this.run("preview", "--json", "--stack", this.#workspace.stack)) as {
      steps: {
        op: string;
        urn: string;
        detailedDiff?: Record<string, { kind: string }> | null;
        replaceReasons?: string[] | null;
      }[];
    };
    const planned: Record<string, PlannedStep> = {};
    for (const { op, urn, detailedDiff, replaceReasons } of steps) {
      const [, , types = "", name = ""] = urn.split("::");
      // A replacement is told three times: as itself, and by its halves.
      if (op === "same" || op === "read" || planned[name]?.op === "replace") continue;
      const diff = Object.entries(detailedDiff ?? {});
      const paths = diff.filter(([, { kind }]) => kind.endsWith("replace")).map(([path]) => path);
      planned[name] = {
        op,
        type: types.split("$").at(-1) as string,
        changed: diff.map(([path]) => path),
        replacing: [...new Set([...paths, ...(replaceReasons ?? [])])],
      };
    }
    return planned;
  }

  /** Has the preview fail, and says with what. */
  async refusal(): Promise<string> {
    const ran = await this.run("preview", "--stack", this.#workspace.stack).catch((error: Error) => error);
    if (ran instanceof Error) return ran.message;
    throw new Error(`the preview did not fail:\n${ran}`);
  }

  /** Types of the resources that an update would replace or delete, sorted. */
  async lost(): Promise<string[]> {
    const planned = Object.values(await this.plan());
    const lost = planned.filter(({ op }) => op.includes("replace") || op === "delete");
    return [...new Set(lost.map(({ type }) => type))].sort();
  }

  async destroy(stack: string = this.#workspace.stack): Promise<void> {
    await this.run("destroy", "--yes", "--skip-preview", "--stack", stack);
  }

  remove(): void {
    rmSync(this.#state, { recursive: true, force: true });
  }
}
