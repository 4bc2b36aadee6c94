import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { digestOf } from "./files.ts";
import { aptSources, docker, imageRecipe, RECIPE_LABEL, trustBundle } from "./images.ts";
import { provideRootArchive, rootArchivePath } from "./rootArchive.ts";
import { run } from "./run.ts";
import type { Settings } from "./settings.ts";

/** npm in the image: that of Node's own distribution is not in the npm package `node`. */
const NPM_VERSION = "11.21.2";

/** Node needs the first two; busybox is /bin/sh and what RUN steps call. */
const packages = ["libc6", "libstdc++6", "busybox-static"];

/** Changes whenever the steps below do, so that an image of an older recipe is replaced. */
const RECIPE = 1;

const BUNDLE = "/etc/ssl/certs/ca-certificates.crt";

/** What the image sets. npm and Node trust what the machine trusts. */
const config = [
  "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  `ENV NODE_EXTRA_CA_CERTS=${BUNDLE}`,
  `ENV SSL_CERT_FILE=${BUNDLE}`,
  `ENV npm_config_cafile=${BUNDLE}`,
  "ENV npm_config_audit=false",
  "ENV npm_config_fund=false",
  "ENV npm_config_update_notifier=false",
  'CMD ["node"]',
];

/** Version of the project's own Node, which the image carries. */
function nodePackage(): { version: string; binary: string } {
  const manifest = createRequire(import.meta.url).resolve("node/package.json");
  const { version } = JSON.parse(readFileSync(manifest, "utf8")) as { version: string };
  return { version, binary: join(dirname(manifest), "bin/node") };
}

/** Name of the base image in the environment's Docker. */
export function baseImageReference(): string {
  return `slipway/node:${nodePackage().version}`;
}

function recipe(): string {
  const parts = [
    String(RECIPE),
    NPM_VERSION,
    nodePackage().version,
    trustBundle(),
    readFileSync(aptSources(), "utf8"),
  ];
  return digestOf(...parts, ...packages, ...config);
}

/** Builds the file system of the base image into the cache, if it is not there. Needs apt's sources and npm. */
export async function buildBaseImage(settings: Settings, onLine: (line: string) => void): Promise<void> {
  await provideRootArchive(settings, {
    name: "node",
    recipe: recipe(),
    packages,
    diskGiB: 1,
    what: "the base image",
    onLine,
    complete: async (root, work) => {
      trim(root);
      onLine(`adding npm ${NPM_VERSION}`);
      await addNpm(root, work);
      addNode(root);
      await addShell(root);
      addAccounts(root);
    },
  });
}

/** Makes sure that the environment's Docker holds the base image of this recipe. */
export async function loadBaseImage(settings: Settings): Promise<void> {
  const reference = baseImageReference();
  if ((await imageRecipe(settings, reference)) === recipe()) return;
  const changes = [...config, `LABEL ${RECIPE_LABEL}=${recipe()}`].flatMap((line) => ["--change", line]);
  const archive = rootArchivePath(settings, { name: "node", recipe: recipe() });
  await docker(settings, ["import", ...changes, archive, reference]);
}

function trim(root: string): void {
  const waste = [
    "usr/share",
    "var/cache",
    "var/lib/apt",
    "var/log",
    "etc/apt",
    "boot",
    "media",
    "mnt",
    "opt",
    "srv",
  ];
  for (const path of waste) rmSync(join(root, path), { recursive: true, force: true });
}

async function addNpm(root: string, work: string): Promise<void> {
  await run("npm", ["pack", "--silent", "--pack-destination", work, `npm@${NPM_VERSION}`], {
    cwd: work,
    env: { PATH: process.env.PATH ?? "" },
    fix: "check that npm reaches its registry (`npm config get registry`)",
  });
  const modules = join(root, "usr/local/lib/node_modules/npm");
  mkdirSync(modules, { recursive: true });
  const unpack = ["--strip-components=1", "--no-same-owner", "-C", modules];
  await run("/usr/bin/tar", ["-xzf", join(work, `npm-${NPM_VERSION}.tgz`), ...unpack]);
  for (const waste of ["docs", "man"]) rmSync(join(modules, waste), { recursive: true, force: true });
  mkdirSync(join(root, "usr/local/bin"), { recursive: true });
  for (const name of ["npm", "npx"]) {
    symlinkSync(`../lib/node_modules/npm/bin/${name}-cli.js`, join(root, "usr/local/bin", name));
  }
}

function addNode(root: string): void {
  copyFileSync(nodePackage().binary, join(root, "usr/local/bin/node"));
  mkdirSync(join(root, dirname(BUNDLE)), { recursive: true });
  writeFileSync(join(root, BUNDLE), trustBundle());
}

/** A link per command of busybox, where the packages bring none themselves. */
export async function addShell(root: string): Promise<void> {
  const busybox = ["bin/busybox", "usr/bin/busybox"]
    .map((path) => join(root, path))
    .find((path) => existsSync(path));
  if (busybox === undefined) throw new Error("busybox-static has no bin/busybox");
  for (const path of (await run(busybox, ["--list-full"])).split("\n")) {
    const target = join(root, path);
    if (existsSync(target)) continue;
    mkdirSync(dirname(target), { recursive: true });
    linkSync(busybox, target);
  }
}

/** root, nobody, and the account `node` (1000:1000) that public Node images have too. */
function addAccounts(root: string): void {
  const files = {
    "etc/passwd": [
      "root:x:0:0:root:/root:/bin/sh",
      "node:x:1000:1000::/home/node:/bin/sh",
      "nobody:x:65534:65534:nobody:/nonexistent:/bin/false",
    ],
    "etc/group": ["root:x:0:", "node:x:1000:", "nogroup:x:65534:"],
    "etc/nsswitch.conf": ["passwd: files", "group: files", "hosts: files dns"],
  };
  for (const [path, lines] of Object.entries(files)) writeFileSync(join(root, path), `${lines.join("\n")}\n`);
  for (const [path, mode, owner] of [
    ["root", 0o700, 0],
    ["tmp", 0o1777, 0],
    ["home/node", 0o755, 1000],
  ] as const) {
    mkdirSync(join(root, path), { recursive: true });
    // The umask does not apply to these two.
    chmodSync(join(root, path), mode);
    chownSync(join(root, path), owner, owner);
  }
}
