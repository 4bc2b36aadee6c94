import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { addShell } from "./base-image.ts";
import type { Credentials } from "./components/registry.ts";
import { dockerConfig } from "./deliver/image.ts";
import { digestOf, readIfPresent, writeFileAtomic } from "./files.ts";
import { aptSources, docker } from "./images.ts";
import { provideRootArchive, rootArchivePath } from "./rootArchive.ts";
import type { Settings } from "./settings.ts";

/** PostgreSQL as the machine's distribution has it, and a shell. */
const packages = ["libc6", "busybox-static", "postgresql"];

/** The account that public images of PostgreSQL have. */
const POSTGRES_UID = 999;

/** Changes whenever the steps below do, so that an image of an older recipe is replaced. */
const RECIPE = 1;

/** Does what the entry point of the public image `postgres` does with POSTGRES_USER, POSTGRES_PASSWORD and PGDATA. */
const entrypoint = `#!/bin/sh
set -eu
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  umask 077
  printf '%s\\n' "$POSTGRES_PASSWORD" > /tmp/password
  initdb --username="\${POSTGRES_USER:-postgres}" --pwfile=/tmp/password --encoding=UTF8 --locale=C.UTF-8 \\
    --auth-local=trust --auth-host=scram-sha-256
  rm /tmp/password
  echo 'host all all all scram-sha-256' >> "$PGDATA/pg_hba.conf"
fi
exec "$@" -c 'listen_addresses=*'
`;

function recipe(): string {
  return digestOf(String(RECIPE), entrypoint, readFileSync(aptSources(), "utf8"), ...packages);
}

/** Builds the file system of the image into the cache, if it is not there. Needs apt's sources. */
export async function buildPostgresImage(settings: Settings, onLine: (line: string) => void): Promise<void> {
  await provideRootArchive(settings, {
    name: "postgres",
    recipe: recipe(),
    packages,
    diskGiB: 1,
    what: "the image of PostgreSQL",
    onLine,
    complete: async (root) => {
      trim(root);
      await addShell(root);
      addServer(root);
    },
  });
}

/** What is remembered of an image that was pushed: its recipe, and its name by digest. */
const pushed = z.strictObject({ recipe: z.string(), reference: z.string() });

/**
 * Makes sure that the environment's registry serves the image.
 *
 * @returns its name by digest
 */
export async function pushPostgresImage(settings: Settings, account: Credentials): Promise<string> {
  const marker = join(settings.stateDir, "postgres-image.json");
  const known = readIfPresent(marker);
  const before = known === undefined ? undefined : pushed.parse(JSON.parse(known));
  if (before?.recipe === recipe()) return before.reference;
  const server = `127.0.0.1:${settings.ports.registry}`;
  const tag = `${server}/slipway/postgres:${recipe()}`;
  const config = [
    "ENV PATH=/usr/local/bin:/usr/bin:/bin",
    "ENV PGDATA=/var/lib/postgresql/data",
    `USER ${POSTGRES_UID}:${POSTGRES_UID}`,
    'ENTRYPOINT ["docker-entrypoint.sh"]',
    'CMD ["postgres"]',
  ];
  const changes = config.flatMap((line) => ["--change", line]);
  const archive = rootArchivePath(settings, { name: "postgres", recipe: recipe() });
  await docker(settings, ["import", ...changes, archive, tag]);
  await push(settings, tag, server, account);
  const reference = await docker(settings, ["inspect", "--format", "{{index .RepoDigests 0}}", tag]);
  await docker(settings, ["rmi", tag]);
  writeFileAtomic(marker, JSON.stringify({ recipe: recipe(), reference }));
  return reference;
}

/** Pushes as the registry's account, whose password is in a private file for as long. */
async function push(settings: Settings, tag: string, server: string, account: Credentials): Promise<void> {
  const config = mkdtempSync(join(settings.stateDir, "tmp-docker-"));
  try {
    writeFileAtomic(join(config, "config.json"), dockerConfig([{ server, ...account }]));
    await docker(settings, ["--config", config, "push", "--quiet", tag]);
  } finally {
    rmSync(config, { recursive: true });
  }
}

/** Takes away what a server in a container never needs; the compiler for queries alone is a third of it. */
function trim(root: string): void {
  const keep = ["postgresql", "postgresql-common", "zoneinfo"];
  const share = readdirSync(join(root, "usr/share")).filter((name) => !keep.includes(name));
  const libraries = readdirSync(join(root, "usr/lib"), { recursive: true, encoding: "utf8" }).filter((path) =>
    /\/(libLLVM[^/]*|libz3[^/]*|libperl[^/]*|perl|perl-base|gconv|llvmjit\.so|bitcode|pgxs)$/.test(path),
  );
  for (const path of [
    ...share.map((name) => `usr/share/${name}`),
    ...libraries.map((path) => `usr/lib/${path}`),
    ...["var/cache", "var/lib/apt", "var/log", "etc/apt", "boot", "media", "mnt", "opt", "srv"],
  ])
    rmSync(join(root, path), { recursive: true, force: true });
}

/** The entry point, the programs on PATH, and the account. */
function addServer(root: string): void {
  const versions = join(root, "usr/lib/postgresql");
  const [version = ""] = readdirSync(versions);
  const bin = join(root, "usr/local/bin");
  mkdirSync(bin, { recursive: true });
  for (const program of readdirSync(join(versions, version, "bin"))) {
    const wrapper = `#!/bin/sh\nexec /usr/lib/postgresql/${version}/bin/${program} "$@"\n`;
    writeFileSync(join(bin, program), wrapper, { mode: 0o755 });
  }
  writeFileSync(join(bin, "docker-entrypoint.sh"), entrypoint, { mode: 0o755 });
  const accounts = {
    "etc/passwd": ["root:x:0:0:root:/root:/bin/sh", `postgres:x:${POSTGRES_UID}:${POSTGRES_UID}::/:/bin/sh`],
    "etc/group": ["root:x:0:", `postgres:x:${POSTGRES_UID}:`],
  };
  for (const [path, lines] of Object.entries(accounts))
    writeFileSync(join(root, path), `${lines.join("\n")}\n`);
  for (const path of ["tmp", "var/run/postgresql", "var/lib/postgresql/data"]) {
    mkdirSync(join(root, path), { recursive: true });
    chmodSync(join(root, path), path === "tmp" ? 0o1777 : 0o700);
    if (path !== "tmp") chownSync(join(root, path), POSTGRES_UID, POSTGRES_UID);
  }
}
