import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { execa, execaSync } from "execa";
import { stringify } from "yaml";

const root = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");

export interface CommandResult {
  readonly exitCode: number | undefined;
  /** Both streams, as a person sees them. */
  readonly output: string;
}

/** A copy of the checkout in which a test may change what it likes, as a user would, with a stack of its own. */
export class Workspace {
  readonly path: string;
  readonly stack: string;

  /** @param stack name of the test's stack, and so of its namespace */
  constructor(stack: string) {
    this.stack = stack;
    this.path = mkdtempSync(join(tmpdir(), "slipway-test-"));
    const { stdout } = execaSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "-z"], {
      cwd: root,
    });
    for (const file of stdout.split("\0").filter((name) => name !== "")) {
      const target = join(this.path, file);
      mkdirSync(dirname(target), { recursive: true });
      cpSync(join(root, file), target, { force: true, errorOnExist: false });
    }
    symlinkSync(join(root, "node_modules"), join(this.path, "node_modules"));
    this.git("init", "--quiet", "--initial-branch=main");
    this.commit("Start");
  }

  git(...args: string[]): string {
    return execaSync("git", ["-c", "user.name=test", "-c", "user.email=test@example.com", ...args], {
      cwd: this.path,
    }).stdout;
  }

  commit(message: string): void {
    this.git("add", "--all");
    this.git("commit", "--quiet", "--message", message);
  }

  /** Writes Pulumi.<stack>.yaml with these values below `slipway:`. A database goes with its stack unless they say otherwise. */
  configure(config: { readonly [key: string]: unknown }, stack: string = this.stack): void {
    const whole = { database: { kind: "inCluster", keepVolume: false }, ...config };
    const keyed = Object.fromEntries(Object.entries(whole).map(([key, value]) => [`slipway:${key}`, value]));
    this.write(`Pulumi.${stack}.yaml`, stringify({ config: keyed }));
  }

  write(file: string, content: string): void {
    mkdirSync(dirname(join(this.path, file)), { recursive: true });
    writeFileSync(join(this.path, file), content);
  }

  read(file: string): string {
    return readFileSync(join(this.path, file), "utf8");
  }

  delete(file: string): void {
    rmSync(join(this.path, file));
  }

  replace(file: string, from: string, to: string): void {
    const before = this.read(file);
    if (!before.includes(from)) throw new Error(`${file} has no ${JSON.stringify(from)}`);
    this.write(file, before.replace(from, to));
  }

  /** Runs a command of the CLI on this workspace's stack. */
  async run(
    command: "start" | "destroy" | "render" | "status",
    ...options: string[]
  ): Promise<CommandResult> {
    const { exitCode, all } = await execa(
      process.execPath,
      ["local/slipway.js", command, ...(command === "status" ? [] : ["--stack", this.stack]), ...options],
      { cwd: this.path, reject: false, all: true, stdin: "ignore" },
    );
    return { exitCode, output: all };
  }

  /** For what a migration, a Job of its own, is not about. */
  withoutDatabase(): void {
    this.replace("infra/application.ts", '    database: { migrate: ["node", "dist/migrate.js"] },\n', "");
  }

  /** `npm start` without the Pulumi CLI. @throws with its output when it fails */
  async deliver(...options: string[]): Promise<string> {
    const { exitCode, output } = await this.run("start", "--deliver", "direct", ...options);
    if (exitCode !== 0) throw new Error(output);
    return output;
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
