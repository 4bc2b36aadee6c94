import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { Cluster } from "../../infra/cluster/cluster.ts";
import { type ApplicationStatus, statusOf } from "../../infra/gitops/argocd/status.ts";
import { applicationOf, requestRefresh } from "../../infra/gitops/argocd/sync.ts";
import { readDescriptor } from "../../local/descriptor.ts";
import { readGitopsDescriptor } from "../../local/gitops/descriptor.ts";
import { writeFiles } from "./temporary.ts";

const root = new URL("../..", import.meta.url).pathname;

/** Brings up what delivery by GitOps needs of the environment: the Git server, and Argo CD's images. */
export async function startGitops(): Promise<void> {
  await execa(process.execPath, ["local/slipway.js", "start", "--environment-only", "--delivery", "gitops"], {
    cwd: root,
    stdio: "inherit",
  });
}

/** The embedded cluster, as delivery sees it. */
export function embeddedCluster(): Cluster {
  return new Cluster(readFileSync(readDescriptor().kubeconfig, "utf8"));
}

/** The status of a stack's Application; empty where there is none. */
export async function applicationStatus(cluster: Cluster, stack: string): Promise<ApplicationStatus> {
  const application = await cluster.read(applicationOf(stack));
  return application === undefined ? {} : statusOf(application);
}

/** A clone of the environment's manifests repository, as a person would have one, with a key that may write. */
export class ManifestsClone {
  readonly path = mkdtempSync(join(tmpdir(), "slipway-manifests-"));
  readonly #env: NodeJS.ProcessEnv;

  constructor() {
    const { pushUrl, pushKey, knownHosts } = readGitopsDescriptor().repository;
    const [key, hosts] = [join(this.path, ".key"), join(this.path, ".known_hosts")];
    writeFileSync(key, pushKey, { mode: 0o600 });
    writeFileSync(hosts, knownHosts);
    this.#env = {
      ...process.env,
      GIT_SSH_COMMAND: `ssh -F /dev/null -i ${key} -o IdentitiesOnly=yes -o UserKnownHostsFile=${hosts}`,
    };
    this.git("clone", "--quiet", pushUrl, "work");
  }

  git(...args: string[]): string {
    const cwd = args[0] === "clone" ? this.path : join(this.path, "work");
    const identity = ["-c", "user.name=someone", "-c", "user.email=someone@example.com"];
    return execFileSync("git", [...identity, ...args], {
      cwd,
      env: this.#env,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    }).trim();
  }

  pull(): void {
    this.git("pull", "--quiet", "--rebase");
  }

  /** @returns the commit that is the branch's newest then */
  push(): string {
    this.git("push", "--quiet", "origin", "HEAD:main");
    return this.git("rev-parse", "HEAD");
  }

  /** Writes and removes files, and commits, here only. */
  commitHere(files: { readonly [path: string]: string | undefined }, message = "By hand"): void {
    this.pull();
    const written = Object.entries(files).filter((file): file is [string, string] => file[1] !== undefined);
    writeFiles(join(this.path, "work"), Object.fromEntries(written));
    for (const [path, content] of Object.entries(files))
      if (content === undefined) rmSync(join(this.path, "work", path), { recursive: true });
    this.git("add", "--all");
    this.git("commit", "--quiet", "--message", message);
  }

  /** Writes and removes files, commits and pushes. @returns the commit */
  commit(files: { readonly [path: string]: string | undefined }, message?: string): string {
    this.commitHere(files, message);
    return this.push();
  }

  /** Takes a commit back, by another one. @returns that one */
  revert(commit: string): string {
    this.pull();
    this.git("revert", "--no-edit", commit);
    return this.push();
  }

  /** Number of commits that touched a folder. */
  commits(folder: string): number {
    this.pull();
    return Number(this.git("rev-list", "--count", "HEAD", "--", folder));
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** What a webhook would do after a push by hand. */
export function refresh(cluster: Cluster, stack: string, commit: string): Promise<void> {
  return requestRefresh(cluster, stack, commit);
}
