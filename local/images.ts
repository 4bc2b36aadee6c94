import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { containerdSocket } from "./components/containerd.ts";
import { dockerSocket } from "./components/docker.ts";
import { readIfPresent } from "./files.ts";
import { get } from "./http.ts";
import { run } from "./run.ts";
import type { Settings } from "./settings.ts";
import type { Tools } from "./tools.ts";

/** An image with one program and nothing else, for what the cluster itself runs in pods. */
export interface ToolImage {
  /** Name that no registry serves: it is loaded, never pulled. */
  readonly reference: string;
  readonly program: string;
  /** Number of the user that it runs as, where that is not root. */
  readonly user?: number;
}

/** The image of a built tool; the name changes with the build. */
export function toolImage(tools: Tools, program: string): ToolImage {
  return {
    reference: `slipway.local/${program}:${tools.version.replace(/[^\w.-]/g, "_")}`,
    program: join(tools.bin, program),
  };
}

/** Makes sure that containerd holds a tool's image for the kubelet. */
export async function loadToolImage(settings: Settings, image: ToolImage): Promise<void> {
  if ((await loadedImages(settings)).includes(image.reference)) return;
  // Two of them may be made at once.
  const work = join(settings.stateDir, "tmp", basename(image.program));
  rmSync(work, { recursive: true, force: true });
  mkdirSync(join(work, "root"), { recursive: true, mode: 0o700 });
  const name = basename(image.program);
  copyFileSync(image.program, join(work, "root", name));
  const layer = join(work, "layer.tar");
  await run("/usr/bin/tar", ["-C", join(work, "root"), "--owner=0", "--group=0", "-cf", layer, name]);
  const changes = [`ENTRYPOINT ["/${name}"]`, ...(image.user === undefined ? [] : [`USER ${image.user}`])];
  await docker(settings, [
    "import",
    ...changes.flatMap((change) => ["--change", change]),
    layer,
    image.reference,
  ]);
  await loadImages(settings, [image.reference]);
  rmSync(work, { recursive: true });
}

/** Moves images from the environment's Docker to containerd, where the kubelet finds them. */
export async function loadImages(settings: Settings, references: readonly string[]): Promise<void> {
  mkdirSync(join(settings.stateDir, "tmp"), { recursive: true, mode: 0o700 });
  const work = mkdtempSync(join(settings.stateDir, "tmp", "images-"));
  const archive = join(work, "images.tar");
  await docker(settings, ["save", "-o", archive, ...references]);
  await ctr(settings, ["images", "import", archive]);
  await docker(settings, ["rmi", ...references]);
  rmSync(work, { recursive: true });
}

/** Names of the images that the kubelet finds without pulling. */
export async function loadedImages(settings: Settings): Promise<string[]> {
  return (await ctr(settings, ["images", "ls", "-q"])).split("\n");
}

function ctr(settings: Settings, args: readonly string[]): Promise<string> {
  return run("/usr/bin/ctr", ["--address", containerdSocket(settings), "--namespace", "k8s.io", ...args]);
}

/** Runs Debian's docker client against the environment's daemon, with a configuration of its own. */
export function docker(settings: Settings, args: readonly string[]): Promise<string> {
  const env = {
    DOCKER_HOST: `unix://${dockerSocket(settings)}`,
    DOCKER_CONFIG: join(settings.stateDir, "docker-config"),
    DOCKER_CONTEXT: "",
  };
  return run("/usr/bin/docker", args, { env });
}

/** The label that holds the recipe of a base image. */
export const RECIPE_LABEL = "dev.slipway.recipe";

/** The recipe that an image in the environment's Docker was made by, if it is there. */
export async function imageRecipe(settings: Settings, reference: string): Promise<string | undefined> {
  const answer = await get({
    url: `http://docker/images/${reference}/json`,
    socketPath: dockerSocket(settings),
  });
  if (answer.status !== 200) return undefined;
  const image = JSON.parse(answer.body) as { Config?: { Labels?: Record<string, string> | null } };
  return image.Config?.Labels?.[RECIPE_LABEL];
}

/** The machine's bundle of trusted authorities; private ones included, so builds reach what the machine reaches. */
export function trustBundle(): string {
  const places = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
  ];
  return places.map((path) => readIfPresent(path)).find((text) => text !== undefined) ?? "";
}

/** Packages' sources of the machine, as apt on Debian and Ubuntu keeps the distribution's own. */
export function aptSources(): string {
  const places = ["/etc/apt/sources.list.d/debian.sources", "/etc/apt/sources.list.d/ubuntu.sources"];
  return places.find((path) => existsSync(path)) ?? "/etc/apt/sources.list";
}

/** Code name of the machine's distribution, such as bookworm. */
export function aptSuite(): string {
  return /^VERSION_CODENAME=(\S+)/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ?? "stable";
}
