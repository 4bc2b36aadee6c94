import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";

/** Who may use a remote: exactly one kind of credential, as its URL asks for. */
export type GitCredentials =
  | {
      readonly kind: "ssh";
      /** Private key in OpenSSH's format. */
      readonly key: string;
      /** Lines of known_hosts: no other host is talked to. */
      readonly knownHosts: string;
    }
  | { readonly kind: "token"; readonly username: string; readonly token: string };

export interface GitRemote {
  readonly url: string;
  readonly credentials?: GitCredentials | undefined;
}

/** What git said when it failed: both streams, for {@link explainGit} to put into words. */
export class GitFailure extends Error {
  readonly said: string;

  constructor(command: string, said: string) {
    super(`git ${command}: ${said}`);
    this.name = "GitFailure";
    this.said = said;
  }
}

/** How long one exchange with a remote may take. */
const timeoutSeconds = 120;

/** A command line for a shell, which is what `GIT_SSH_COMMAND` is read by. */
function quoted(words: readonly string[]): string {
  return words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
}

/**
 * The ssh that git calls: this key and these hosts alone, whatever the user's own configuration, agent and
 * known_hosts say, and never a question.
 */
function sshCommand(key: string, knownHosts: string): string {
  const options = {
    IdentityFile: key,
    IdentitiesOnly: "yes",
    IdentityAgent: "none",
    UserKnownHostsFile: knownHosts,
    GlobalKnownHostsFile: "/dev/null",
    StrictHostKeyChecking: "yes",
    BatchMode: "yes",
    ConnectTimeout: "15",
    ControlPath: "none",
  };
  return quoted([
    "ssh",
    "-F",
    "/dev/null",
    ...Object.entries(options).flatMap(([k, v]) => ["-o", `${k}=${v}`]),
  ]);
}

/** A line for git's credential store. */
function storedCredential(url: string, username: string, token: string): string {
  const { protocol, host } = new URL(url);
  return `${protocol}//${encodeURIComponent(username)}:${encodeURIComponent(token)}@${host}\n`;
}

const withNewline = (text: string) => (text.endsWith("\n") ? text : `${text}\n`);

/**
 * A bare repository of this run alone, with one remote. Nothing of it is shared with the user: neither
 * configuration, keys, agent nor working copy. Credentials are in files that only this user reads.
 */
export class ScratchRepository {
  readonly directory: string;
  readonly #env: Record<string, string>;
  readonly #remote: GitRemote;

  private constructor(directory: string, remote: GitRemote, env: Record<string, string>) {
    this.directory = directory;
    this.#remote = remote;
    this.#env = env;
  }

  /** Opens one, gives it to `use`, and removes it with the credentials in it. */
  static async with<T>(remote: GitRemote, use: (repository: ScratchRepository) => Promise<T>): Promise<T> {
    const directory = await mkdtemp(join(tmpdir(), "slipway-git-"));
    try {
      return await use(await ScratchRepository.#open(directory, remote));
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  }

  static async #open(directory: string, remote: GitRemote): Promise<ScratchRepository> {
    const { credentials, url } = remote;
    const env: Record<string, string> = {
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_TERMINAL_PROMPT: "0",
      GIT_ALLOW_PROTOCOL: "ssh:https:file",
      // Its messages are read.
      LC_ALL: "C",
    };
    const repository = new ScratchRepository(directory, remote, env);
    await repository.run(["init", "--quiet", "--bare", directory]);
    if (credentials?.kind === "ssh") {
      const [key, knownHosts] = [join(directory, "key"), join(directory, "known_hosts")];
      await writeFile(key, withNewline(credentials.key), { mode: 0o600 });
      await writeFile(knownHosts, withNewline(credentials.knownHosts));
      env.GIT_SSH_COMMAND = sshCommand(key, knownHosts);
    }
    if (credentials?.kind === "token") {
      const store = join(directory, "credentials");
      await writeFile(store, storedCredential(url, credentials.username, credentials.token), { mode: 0o600 });
      await repository.run(["config", "credential.helper", `store --file=${quoted([store])}`]);
    }
    return repository;
  }

  /** Runs git in it. @throws GitFailure with what git said */
  async run(
    args: readonly string[],
    { input, env }: { readonly input?: string; readonly env?: Readonly<Record<string, string>> } = {},
  ): Promise<string> {
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("GIT_"));
    const result = await execa("git", [...args], {
      cwd: this.directory,
      env: { ...Object.fromEntries(inherited), ...this.#env, ...env },
      extendEnv: false,
      reject: false,
      timeout: timeoutSeconds * 1000,
      maxBuffer: 64 * 1024 * 1024,
      ...(input === undefined ? { stdin: "ignore" as const } : { input }),
    });
    if (!result.failed) return result.stdout;
    const reason = result.timedOut ? `no end after ${timeoutSeconds} s` : (result.code ?? "");
    throw new GitFailure(
      args[0] ?? "",
      [result.stdout, result.stderr, reason].filter(Boolean).join("\n").trim(),
    );
  }

  /** Whether a git command succeeds. */
  async #succeeds(args: readonly string[]): Promise<boolean> {
    return this.run(args).then(
      () => true,
      () => false,
    );
  }

  /** Writes a file beside the repository, for this user alone, and gives its path. */
  async secretFile(name: string, content: string): Promise<string> {
    const path = join(this.directory, name);
    await writeFile(path, withNewline(content), { mode: 0o600 });
    return path;
  }

  /** The remote branch's newest commit, fetched with that much of its history; nothing where there is no such branch. */
  async fetch(branch: string, history: "none" | "all" = "none"): Promise<string | undefined> {
    const ref = "refs/slipway/base";
    try {
      await this.run([
        "fetch",
        "--quiet",
        ...(history === "none" ? ["--depth=1"] : []),
        "--no-tags",
        this.#remote.url,
        `+refs/heads/${branch}:${ref}`,
      ]);
    } catch (error) {
      if (error instanceof GitFailure && /couldn't find remote ref/.test(error.said)) return undefined;
      throw error;
    }
    return this.run(["rev-parse", ref]);
  }

  /** Pushes a commit to a branch, without force. @throws GitFailure */
  async push(commit: string, branch: string): Promise<void> {
    await this.run(["push", "--porcelain", this.#remote.url, `${commit}:refs/heads/${branch}`]);
  }

  /** What is at a path of a commit: the id of a tree, or nothing. @throws GitFailure never */
  async treeAt(commit: string, path: string): Promise<string | undefined> {
    if (!(await this.#succeeds(["cat-file", "-e", `${commit}:${path}`]))) return undefined;
    return this.run(["rev-parse", `${commit}:${path}`]);
  }

  /** Kind of the object at a path of a commit: `tree`, `blob` (a file or a link), `commit` (a submodule), or nothing. */
  async kindAt(commit: string, path: string): Promise<string | undefined> {
    const entry = await this.run(["ls-tree", commit, "--", path]);
    return entry === "" ? undefined : entry.split(/\s+/)[1];
  }
}
