import { chownSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { writeFileAtomic } from "../files.ts";
import { run } from "../run.ts";
import type { Settings } from "../settings.ts";

/** Account of the Git server in its image. */
export const gitUid = 1000;

/** Where the Git server keeps what must outlive its pods. */
export function gitDirectory(settings: Settings): string {
  return join(settings.stateDir, "git");
}

export interface GitKeys {
  /** The server's public key, as `ssh-ed25519 AAAA…`. */
  readonly host: string;
  /** Private keys. */
  readonly push: string;
  readonly pull: string;
}

const names = ["host", "push", "pull"] as const;

/** The keys of the environment's Git server: drawn once, kept until stop. */
export async function provideGitKeys(settings: Settings): Promise<GitKeys> {
  const directory = join(gitDirectory(settings), "keys");
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  for (const name of names) {
    const file = join(directory, name);
    if (existsSync(file)) continue;
    await run("/usr/bin/ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", `slipway ${name}`, "-f", file]);
  }
  const read = (name: string) => readFileSync(join(directory, name), "utf8");
  const publicKey = (name: string) => read(`${name}.pub`).split(" ").slice(0, 2).join(" ");
  writeServerFiles(settings, {
    hostKey: read("host"),
    push: publicKey("push"),
    pull: publicKey("pull"),
  });
  return { host: publicKey("host"), push: read("push"), pull: read("pull") };
}

/** Path of the one repository, in the pod. */
const repository = "/srv/git/manifests.git";

/** Whatever a client asks for, its key decides what it gets: this repository, to read, or to read and write. */
const commands = {
  pull: `exec git-upload-pack ${repository}`,
  push: `case \\"$SSH_ORIGINAL_COMMAND\\" in git-receive-pack*|'git receive-pack'*) exec git-receive-pack ${repository};; *) exec git-upload-pack ${repository};; esac`,
};

function writeServerFiles(
  settings: Settings,
  { hostKey, push, pull }: { readonly hostKey: string; readonly push: string; readonly pull: string },
): void {
  const directory = gitDirectory(settings);
  const authorized = (command: string, key: string) => `restrict,command="${command}" ${key}`;
  const files: Readonly<Record<string, string>> = {
    host_key: hostKey,
    authorized_keys: `${authorized(commands.pull, pull)}\n${authorized(commands.push, push)}\n`,
    sshd_config: [
      "Port 2222",
      // The default is safe from quantum computers and takes 90 ms more: on this machine nobody listens.
      "KexAlgorithms curve25519-sha256",
      "HostKey /etc/git-server/host_key",
      "AuthorizedKeysFile /etc/git-server/authorized_keys",
      "AuthenticationMethods publickey",
      "AllowUsers git",
      "UsePAM no",
      "StrictModes no",
      "PidFile none",
      "DisableForwarding yes",
      "AcceptEnv GIT_PROTOCOL",
      "MaxStartups 64:30:128",
      "LogLevel ERROR",
      "",
    ].join("\n"),
    // A pod may be started at any time: what it needs is made here, once, and found again after a restart.
    "start.sh": `set -eu
if [ ! -d ${repository} ]; then
  git init --quiet --bare --initial-branch=main ${repository}.part
  git -C ${repository}.part config receive.denyNonFastForwards true
  mv ${repository}.part ${repository}
fi
exec /usr/sbin/sshd -D -e -f /etc/git-server/sshd_config
`,
  };
  for (const part of ["server", "repositories"]) {
    mkdirSync(join(directory, part), { recursive: true, mode: 0o700 });
    chownSync(join(directory, part), gitUid, gitUid);
  }
  for (const [name, content] of Object.entries(files)) {
    const path = join(directory, "server", name);
    if (existsSync(path) && readFileSync(path, "utf8") === content) continue;
    writeFileAtomic(path, content);
    chownSync(path, gitUid, gitUid);
  }
}
