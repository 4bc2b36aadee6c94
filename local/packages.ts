import { existsSync } from "node:fs";
import { Fault } from "../infra/fault.ts";
import { hasAppArmor } from "./apparmor.ts";
import { ask, run } from "./run.ts";

/** What the operating system gives, by package and the one file whose presence shows that it is installed. */
const wanted = {
  containerd: "/usr/bin/containerd",
  "docker.io": "/usr/sbin/dockerd",
  "docker-registry": "/usr/bin/docker-registry",
  "containernetworking-plugins": "/usr/lib/cni/bridge",
  iproute2: "/usr/bin/ss",
  iptables: "/usr/sbin/iptables",
  mmdebstrap: "/usr/bin/mmdebstrap",
  nfacct: "/usr/sbin/nfacct",
  nftables: "/usr/sbin/nft",
  runc: "/usr/sbin/runc",
  tar: "/usr/bin/tar",
} as const;

/** With AppArmor in the kernel, Docker can start nothing before these tools have loaded its profile. */
const wantedByAppArmor = { apparmor: "/usr/sbin/apparmor_parser" } as const;

/** What commits to the environment's Git server. */
const wantedByGitops = { git: "/usr/bin/git", "openssh-client": "/usr/bin/ssh-keygen" } as const;

function wantedHere(gitops: boolean): Readonly<Record<string, string>> {
  return {
    ...wanted,
    ...(hasAppArmor() ? wantedByAppArmor : {}),
    ...(gitops ? wantedByGitops : {}),
  };
}

/** Packages that the environment needs, with or without a Git server, and that are not there. */
export function missingPackages(gitops: boolean): string[] {
  return Object.entries(wantedHere(gitops)).flatMap(([name, file]) => (existsSync(file) ? [] : [name]));
}

/**
 * Installs what is missing with apt, where there is apt.
 *
 * @param onLine told each line that apt prints
 */
export async function installPackages(
  gitops: boolean,
  onLine: (line: string) => void,
): Promise<readonly string[]> {
  const missing = missingPackages(gitops);
  if (missing.length === 0) return missing;
  if ((await ask("/usr/bin/apt-get", ["--version"])) === undefined) {
    throw new Fault({
      what: "operating system",
      value: `lacks ${missing.join(", ")}`,
      rule: "must provide these programs, and only Debian and Ubuntu are known well enough to install them",
      fix: `install them with the system's own package manager: ${missing.map((name) => wantedHere(gitops)[name]).join(", ")}`,
    });
  }
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  const fix = `run \`apt-get install ${missing.join(" ")}\` and see what it says`;
  await run("/usr/bin/apt-get", ["update", "-q"], { env, onLine, fix });
  await run("/usr/bin/apt-get", ["install", "-q", "-y", "--no-install-recommends", ...missing], {
    env,
    onLine,
    fix,
  });
  const still = missingPackages(gitops);
  if (still.length > 0) {
    throw new Fault({
      what: "apt-get install",
      value: `left out ${still.join(", ")}`,
      rule: "must install it",
      fix,
    });
  }
  return missing;
}
