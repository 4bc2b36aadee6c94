import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import type { Release } from "../../infra/config/images.ts";
import { root } from "../../infra/projectRoot.ts";

const binaries = join(root, "node_modules/.bin");

async function git(...args: string[]) {
  return execa("git", ["-C", root, ...args], { reject: false, stdin: "ignore" });
}

/** Renders a stack's objects with a checkout's own code. @returns why it could not, if it could not */
async function render(
  checkout: string,
  stack: string,
  out: string,
  images: string | undefined,
): Promise<string | undefined> {
  const { failed, stderr } = await execa(
    join(binaries, "node"),
    [
      "local/slipway.js",
      "render",
      "--stack",
      stack,
      "--out",
      out,
      ...(images === undefined ? [] : ["--images", images]),
    ],
    { cwd: checkout, reject: false, stdin: "ignore" },
  );
  return failed ? stderr.split("\n")[0] : undefined;
}

/** What a branch makes of the objects of stacks, against the branch that it is to be merged into. */
export class ManifestDiff {
  readonly #directory = mkdtempSync(join(tmpdir(), "slipway-manifests-"));
  readonly #target: string;
  #checkedOut = false;

  /** @param target commit or branch to compare with */
  constructor(target: string) {
    this.#target = target;
  }

  get #base(): string {
    return join(this.#directory, "checkout");
  }

  async #checkOut(): Promise<boolean> {
    if (this.#checkedOut) return true;
    const { failed } = await git("worktree", "add", "--detach", this.#base, this.#target);
    if (failed) return false;
    this.#checkedOut = true;
    const modules = join(this.#base, "node_modules");
    if (!existsSync(modules)) symlinkSync(join(root, "node_modules"), modules);
    return true;
  }

  /**
   * The difference of a stack's objects as a unified diff, empty where there is none.
   *
   * @param release the build that both sides run; without it, both have placeholders
   * @returns the diff, or the reason why there is none to be had
   */
  async of(stack: string, release: Release | undefined): Promise<{ diff?: string; reason?: string }> {
    if (!(await this.#checkOut())) return { reason: `${this.#target} is not in this clone` };
    let images: string | undefined;
    if (release !== undefined) {
      images = join(this.#directory, `${stack}.images.json`);
      writeFileSync(images, JSON.stringify(release.workloads));
    }
    const [before, after] = [join(this.#directory, "before"), join(this.#directory, "after")];
    const problem = await render(root, stack, after, images);
    if (problem !== undefined) return { reason: problem };
    // A stack that the other branch does not have, or cannot render, is all new.
    if (existsSync(join(this.#base, `Pulumi.${stack}.yaml`))) await render(this.#base, stack, before, images);
    const { stdout } = await execa(
      "git",
      ["diff", "--no-index", "--no-color", "--no-prefix", `before/${stack}`, `after/${stack}`],
      { cwd: this.#directory, reject: false, stdin: "ignore" },
    );
    return { diff: stdout };
  }

  async remove(): Promise<void> {
    if (this.#checkedOut) await git("worktree", "remove", "--force", this.#base);
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
