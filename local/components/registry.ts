import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { hash } from "bcryptjs";
import { stringify } from "yaml";
import { digestOf, readIfPresent, writeFileAtomic } from "../files.ts";
import { probe } from "../http.ts";
import type { ProcessSpec } from "../process.ts";
import { NAME, type Settings } from "../settings.ts";

/** The registry's only account. */
export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** The registry's account: drawn at random once, kept until stop. */
export async function registryCredentials(settings: Settings): Promise<Credentials> {
  const path = join(settings.stateDir, "registry-password");
  const known = readIfPresent(path);
  if (known !== undefined) return { username: NAME, password: known };
  const password = randomBytes(24).toString("base64url");
  // The least cost that bcrypt knows: stretching protects guessable passwords, this one has 192 random bits, and the
  // registry computes it anew for every request of every pull.
  writeFileAtomic(htpasswdPath(settings), `${NAME}:${await hash(password, 4)}\n`);
  writeFileAtomic(path, password);
  return { username: NAME, password };
}

function htpasswdPath(settings: Settings): string {
  return join(settings.stateDir, "registry-htpasswd");
}

export function registry(settings: Settings, account: Credentials): ProcessSpec {
  const config = join(settings.runDir, "registry.yml");
  const address = `127.0.0.1:${settings.ports.registry}`;
  const content = {
    version: 0.1,
    log: { level: "warn", accesslog: { disabled: true } },
    storage: {
      filesystem: { rootdirectory: join(settings.stateDir, "registry") },
      delete: { enabled: true },
    },
    // It signs the state of uploads: one that outlives the process lets them go on after a restart.
    http: { addr: address, secret: digestOf(account.password, "uploads") },
    auth: { htpasswd: { realm: NAME, path: htpasswdPath(settings) } },
  };
  return {
    name: "registry",
    command: "/usr/bin/docker-registry",
    args: ["serve", config],
    env: { OTEL_TRACES_EXPORTER: "none" },
    files: [{ path: config, content: stringify(content) }],
    directories: [join(settings.stateDir, "registry")],
    // Serving means refusing those who do not say who they are.
    ready: () => probe({ url: `http://${address}/v2/` }, 401),
    deadline: 60,
  };
}
