import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { addShell } from "../base-image.ts";
import { digestOf } from "../files.ts";
import { aptSources, docker, loadedImages, loadImages, trustBundle } from "../images.ts";
import { provideRootArchive } from "../rootArchive.ts";
import type { Settings } from "../settings.ts";
import type { Tools } from "../tools.ts";

/** What Argo CD, Redis and the Git server need of the distribution; one root for all three, so that they share it. */
const packages = ["busybox-static", "git", "openssh-client", "openssh-server", "redis-server", "tini"];

/** Changes whenever the steps below do, so that images of an older recipe are replaced. */
const RECIPE = "3";

/** Accounts by the uids that the pods' specifications ask for. */
const accounts = {
  git: { uid: 1000, home: "/home/git", shell: "/bin/sh" },
  argocd: { uid: 999, home: "/home/argocd", shell: "/bin/false" },
};

const parts = [
  "application-controller",
  "applicationset-controller",
  "cmp-server",
  "notifications",
  "repo-server",
  "server",
];

/** Images of what delivers by GitOps, loaded for the kubelet: no registry serves them. */
export interface GitopsImages {
  readonly argocd: string;
  readonly redis: string;
  readonly gitServer: string;
}

function recipe(): string {
  return digestOf(RECIPE, ...packages, trustBundle(), readFileSync(aptSources(), "utf8"));
}

/** Names of the images that a build of Argo CD gives. */
export function gitopsImages(argocd: Tools): GitopsImages {
  const tag = recipe();
  return {
    argocd: `slipway.local/argocd:${tag}-${argocd.version.replace(/[^\w.-]/g, "_")}`,
    redis: `slipway.local/redis:${tag}`,
    gitServer: `slipway.local/git-server:${tag}`,
  };
}

const dockerfile = `FROM scratch AS root
ADD root.tar /
FROM root AS redis
ENTRYPOINT ["/usr/bin/redis-server"]
FROM root AS git-server
USER 1000:1000
ENTRYPOINT ["/usr/sbin/sshd", "-D", "-e"]
FROM root AS argocd
COPY argocd/ /
ENV USER=argocd HOME=/home/argocd ARGOCD_GPG_ENABLED=false
USER 999
WORKDIR /home/argocd
ENTRYPOINT ["/usr/bin/tini", "--"]
`;

/** Makes sure that containerd holds the three images. Needs apt's sources once. */
export async function loadGitopsImages(
  settings: Settings,
  argocd: Tools,
  onLine: (line: string) => void,
): Promise<void> {
  const images = gitopsImages(argocd);
  const loaded = await loadedImages(settings);
  if (Object.values(images).every((reference) => loaded.includes(reference))) return;
  const archive = await provideRoot(settings, onLine);
  const work = mkdtempSync(join(dirname(archive), ".part-"));
  try {
    copyFileSync(archive, join(work, "root.tar"));
    addArgocd(join(work, "argocd"), argocd);
    writeFileSync(join(work, "Dockerfile"), dockerfile);
    for (const [target, reference] of [
      ["argocd", images.argocd],
      ["redis", images.redis],
      ["git-server", images.gitServer],
    ] as const) {
      onLine(`image of ${target}`);
      await docker(settings, ["build", "--quiet", "--target", target, "--tag", reference, work]);
    }
    onLine("handing the images to containerd");
    await loadImages(settings, Object.values(images));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** The file system that the images share, as an archive in the cache. */
function provideRoot(settings: Settings, onLine: (line: string) => void): Promise<string> {
  return provideRootArchive(settings, {
    name: "gitops",
    recipe: recipe(),
    packages,
    diskGiB: 2,
    what: "the images of Argo CD and the Git server",
    onLine,
    complete: async (root) => {
      for (const waste of [
        "dev",
        "usr/share/doc",
        "usr/share/man",
        "usr/share/locale",
        "var/cache",
        "var/lib/apt",
      ])
        rmSync(join(root, waste), { recursive: true, force: true });
      addFiles(root);
      await addShell(root);
    },
  });
}

/** What the packages' scripts would have made: accounts, and trusted authorities. */
function addFiles(root: string): void {
  const users = Object.entries(accounts);
  const files = {
    "etc/passwd": [
      "root:x:0:0:root:/root:/bin/sh",
      ...users.map(([name, { uid, home, shell }]) => `${name}:x:${uid}:${uid}::${home}:${shell}`),
    ],
    "etc/group": ["root:x:0:", ...users.map(([name, { uid }]) => `${name}:x:${uid}:`)],
    "etc/nsswitch.conf": ["passwd: files", "group: files", "hosts: files dns"],
    "etc/ssl/certs/ca-certificates.crt": [trustBundle().trimEnd()],
  };
  for (const [path, lines] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), `${lines.join("\n")}\n`);
  }
  for (const { uid, home } of Object.values(accounts)) {
    mkdirSync(join(root, home), { recursive: true });
    chownSync(join(root, home), uid, uid);
  }
  mkdirSync(join(root, "tmp"), { recursive: true });
  chmodSync(join(root, "tmp"), 0o1777);
}

/** Argo CD where its own image has it. Its parts are one program, by the name that it is called by. */
function addArgocd(root: string, argocd: Tools): void {
  const bin = join(root, "usr/local/bin");
  mkdirSync(bin, { recursive: true });
  mkdirSync(join(root, "app/config"), { recursive: true });
  copyFileSync(join(argocd.bin, "argocd"), join(bin, "argocd"));
  for (const part of parts) symlinkSync("argocd", join(bin, `argocd-${part}`));
  // Argo CD looks that there is a Dex, and starts it where its settings ask for one, which Slipway's never do.
  symlinkSync("argocd", join(bin, "dex"));
  for (const script of ["gpg-wrapper.sh", "git-verify-wrapper.sh"]) {
    copyFileSync(join(argocd.share, script), join(bin, script));
    chmodSync(join(bin, script), 0o755);
  }
}
