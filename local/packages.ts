import { existsSync } from "node:fs";
import { hasAppArmor } from "./apparmor.ts";
import { Fault } from "./fault.ts";
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

function wantedHere(): Readonly<Record<string, string>> {
  return hasAppArmor() ? { ...wanted, ...wantedByAppArmor } : wanted;
}

/** Packages that the environment needs and that are not there. */
export function missingPackages(): string[] {
  return Object.entries(wantedHere()).flatMap(([name, file]) => (existsSync(file) ? [] : [name]));
}

/**
 * Installs what is missing with apt, where there is apt.
 *
 * @param onLine told each line that apt prints
 */
export async function installPackages(onLine: (line: string) => void): Promise<readonly string[]> {
  const missing = missingPackages();
  if (missing.length === 0) return missing;
  if ((await ask("/usr/bin/apt-get", ["--version"])) === undefined) {
    throw new Fault({
      what: "operating system",
      value: `lacks ${missing.join(", ")}`,
      rule: "must provide these programs, and only Debian and Ubuntu are known well enough to install them",
      fix: `install them with the system's own package manager: ${missing.map((name) => wantedHere()[name]).join(", ")}`,
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
  const still = missingPackages();
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
