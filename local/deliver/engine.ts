import { randomBytes } from "node:crypto";
import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { execa } from "execa";
import { parse, stringify } from "yaml";
import { Fault } from "../../infra/fault.ts";
import { root } from "../../infra/projectRoot.ts";
import type { Reporter } from "./direct.ts";
import { deliveryKind, isAtomic, projectName, pushingWithHandover, type RawConfig } from "./project.ts";

/** The official npm package that fetches the CLI, for machines that have none, and the CLI's version. */
const npmPackage = "pulumi@3.265.0";
const cliVersion = "3.270.0";

/** A Pulumi CLI: a command and the arguments that come before its own. */
export interface PulumiCli {
  readonly command: string;
  readonly args: readonly string[];
  readonly version: string;
}

const binaries = join(root, "node_modules/.bin");

/** Path of the Pulumi CLI on PATH, or nothing. */
export function installedPulumi(env: NodeJS.ProcessEnv): string | undefined {
  const path = env.PATH ?? "";
  // npm puts the project's own binaries first; a CLI that a person installed is elsewhere.
  for (const directory of path
    .split(delimiter)
    .filter((entry) => entry !== "" && !entry.endsWith("node_modules/.bin"))) {
    try {
      accessSync(join(directory, "pulumi"), constants.X_OK);
      return join(directory, "pulumi");
    } catch {
      // Not in this directory.
    }
  }
  return undefined;
}

async function versionOf(command: string, args: readonly string[]): Promise<string | undefined> {
  const env = { PULUMI_SKIP_UPDATE_CHECK: "1", PULUMI_VERSION: cliVersion };
  const { failed, stdout } = await execa(command, [...args, "version"], {
    env,
    reject: false,
    timeout: 180_000,
    stdin: "ignore",
  });
  return failed ? undefined : stdout.trim();
}

/** Finds the Pulumi CLI: on PATH, else by the official npm package, which downloads it; nothing where neither works. */
export async function findPulumi(env: NodeJS.ProcessEnv): Promise<PulumiCli | undefined> {
  const installed = installedPulumi(env);
  const candidates =
    installed === undefined
      ? [{ command: "npm", args: ["exec", "--yes", `--package=${npmPackage}`, "--", "pulumi"] }]
      : [{ command: installed, args: [] }];
  for (const { command, args } of candidates) {
    const version = await versionOf(command, args);
    if (version !== undefined) return { command, args, version };
  }
  return undefined;
}

/**
 * A Pulumi project beside the environment, whose program is the repository's: state and the passphrase's salt are
 * kept with the environment, so that nothing in the checkout changes and both end together.
 */
async function prepareProject({ directory, stack, config }: EngineOptions): Promise<Record<string, string>> {
  const project = join(directory, "project");
  const state = join(directory, "state");
  const passphrase = join(directory, "passphrase");
  await mkdir(project, { recursive: true, mode: 0o700 });
  await mkdir(state, { recursive: true, mode: 0o700 });
  if (!existsSync(passphrase))
    await writeFile(passphrase, randomBytes(24).toString("base64url"), { mode: 0o600 });
  const definition = parse(readFileSync(join(root, "Pulumi.yaml"), "utf8")) as Record<string, unknown>;
  await writeFile(
    join(project, "Pulumi.yaml"),
    stringify({
      name: definition.name,
      runtime: definition.runtime,
      main: join(root, definition.main as string),
    }),
  );
  const stackFile = join(project, `Pulumi.${stack}.yaml`);
  const salt = existsSync(stackFile)
    ? (parse(readFileSync(stackFile, "utf8")) as { encryptionsalt?: string } | null)?.encryptionsalt
    : undefined;
  await writeFile(stackFile, stringify({ ...(salt === undefined ? {} : { encryptionsalt: salt }), config }));
  return { PULUMI_BACKEND_URL: `file://${state}`, PULUMI_CONFIG_PASSPHRASE_FILE: passphrase };
}

/** Whether an update of the stack was interrupted and left its lock behind. */
async function hasLock(directory: string, stack: string): Promise<boolean> {
  const locks = join(directory, "state/.pulumi/locks/organization", projectName(), stack);
  return existsSync(locks) && (await readdir(locks)).length > 0;
}

export interface EngineOptions {
  /** Directory for state and passphrase. */
  readonly directory: string;
  readonly stack: string;
  /** The stack's configuration by full key. */
  readonly config: RawConfig;
  readonly report: Reporter;
}

/** The Pulumi CLI on the local stack, with file state. */
export class LocalStack {
  readonly #cli: PulumiCli;
  readonly #options: EngineOptions;

  constructor(cli: PulumiCli, options: EngineOptions) {
    this.#cli = cli;
    this.#options = options;
  }

  /** Creates the stack's state where there is none, and clears the lock of an update that was interrupted. */
  async open(): Promise<void> {
    const { directory, stack } = this.#options;
    await this.#run(["stack", "select", "--create", stack]);
    if (await hasLock(directory, stack)) await this.#run(["cancel", "--yes", "--stack", stack]);
  }

  /** `pulumi up`, without a question. @throws Fault with the CLI's last lines */
  async up(): Promise<void> {
    const { stack, config } = this.#options;
    try {
      await this.#run(["up", "--yes", "--skip-preview", "--stack", stack]);
    } catch (error) {
      // What an atomic release has put back is what the state is to have: the same release may be tried again.
      if (isAtomic(config))
        await this.#run(["refresh", "--yes", "--skip-preview", "--stack", stack]).catch(() => {});
      throw error;
    }
  }

  /** `pulumi destroy` of everything in the stack. @throws Fault with the CLI's last lines */
  async destroy(): Promise<void> {
    await this.#run(["destroy", "--yes", "--skip-preview", "--stack", this.#options.stack]);
  }

  /** The stack's outputs; secret ones are shown as such. */
  async outputs(): Promise<Record<string, unknown>> {
    return JSON.parse(
      await this.#run(["stack", "output", "--json", "--stack", this.#options.stack]),
    ) as Record<string, unknown>;
  }

  async #run(args: readonly string[]): Promise<string> {
    const { directory, report } = this.#options;
    const { command, args: first } = this.#cli;
    const env = {
      ...(await prepareProject(this.#options)),
      // The program needs the project's own Node.js.
      PATH: `${binaries}${delimiter}${process.env.PATH ?? ""}`,
      PULUMI_SKIP_UPDATE_CHECK: "1",
      PULUMI_VERSION: cliVersion,
    };
    const all = [
      ...first,
      "--non-interactive",
      "--color",
      "never",
      "--cwd",
      join(directory, "project"),
      ...args,
    ];
    const subprocess = execa(command, all, { env, reject: false, all: true, stdin: "ignore" });
    const lines: string[] = [];
    for await (const line of subprocess.iterable({ from: "all" })) {
      if (line.trim() === "") continue;
      lines.push(line);
      report.progress(line.trim());
    }
    const result = await subprocess;
    if (result.failed)
      throw new Fault({
        what: `pulumi ${args.join(" ")}`,
        rule: `must succeed (${result.code ?? `exit ${result.exitCode ?? result.signal}`})`,
        log: lines.slice(-40).join("\n"),
      });
    return result.stdout;
  }
}

/** How the stack was delivered last, as the project beside the environment remembers it. */
function lastDelivery({ directory, stack }: EngineOptions): string | undefined {
  const file = join(directory, "project", `Pulumi.${stack}.yaml`);
  if (!existsSync(file)) return undefined;
  const { config = {} } = (parse(readFileSync(file, "utf8")) ?? {}) as { config?: RawConfig };
  return deliveryKind(config);
}

/** Delivers the stack by `pulumi up`. @throws Fault with the CLI's last lines */
export async function deliverByEngine(
  cli: PulumiCli,
  options: EngineOptions,
): Promise<Record<string, unknown>> {
  const last = lastDelivery(options);
  if (last !== undefined && last !== deliveryKind(options.config)) {
    // Between push and gitops: Pulumi must neither delete what it forgets, nor stumble over what is there.
    const between = new LocalStack(cli, { ...options, config: pushingWithHandover(options.config) });
    await between.open();
    await between.up();
  }
  const stack = new LocalStack(cli, options);
  await stack.open();
  await stack.up();
  return stack.outputs();
}
