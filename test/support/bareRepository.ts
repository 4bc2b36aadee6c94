import { execFileSync } from "node:child_process";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryDirectory, writeFiles } from "./temporary.ts";

const identity = {
  GIT_AUTHOR_NAME: "someone",
  GIT_AUTHOR_EMAIL: "someone@example.com",
  GIT_COMMITTER_NAME: "someone",
  GIT_COMMITTER_EMAIL: "someone@example.com",
  GIT_CONFIG_GLOBAL: "/dev/null",
};

/** A bare repository on this machine, as a server keeps it, for one test. */
export class BareRepository {
  readonly path: string;
  readonly url: string;

  constructor() {
    this.path = join(temporaryDirectory(), "manifests.git");
    execFileSync("git", ["init", "--quiet", "--bare", "--initial-branch=main", this.path]);
    this.url = `file://${this.path}`;
  }

  git(...args: string[]): string {
    return execFileSync("git", ["-C", this.path, ...args], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    }).trim();
  }

  /** Commits these files as somebody else, from a clone. */
  commitAsOther(files: { readonly [path: string]: string }, message = "Somebody else's"): string {
    const clone = temporaryDirectory();
    const git = (...args: string[]) =>
      execFileSync("git", ["-C", clone, ...args], {
        encoding: "utf8",
        env: { ...process.env, ...identity },
        stdio: ["ignore", "pipe", "pipe"],
      }).trim();
    git("clone", "--quiet", this.path, ".");
    writeFiles(clone, files);
    git("add", "--all");
    git("commit", "--quiet", "--message", message);
    git("push", "--quiet", "origin", "HEAD:main");
    return git("rev-parse", "HEAD");
  }

  /** Paths and contents at a branch's tip. */
  files(branch = "main"): Record<string, string> {
    const paths = this.git("ls-tree", "-r", "--name-only", branch).split("\n").filter(Boolean);
    return Object.fromEntries(paths.map((path) => [path, this.git("show", `${branch}:${path}`)]));
  }

  /** Number of commits of a branch. */
  commits(branch = "main"): number {
    return Number(this.git("rev-list", "--count", branch));
  }

  /** Installs a hook, a shell script. */
  hook(name: string, script: string): void {
    const path = join(this.path, "hooks", name);
    writeFileSync(path, `#!/bin/sh\n${script}\n`);
    chmodSync(path, 0o755);
  }
}
