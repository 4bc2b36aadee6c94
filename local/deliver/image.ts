import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { execa } from "execa";
import { Fault } from "../fault.ts";
import { root } from "./project.ts";

/** Inputs of a `docker.Image` of the Pulumi program. */
export interface ImageInputs {
  readonly imageName: string;
  readonly build: {
    readonly context: string;
    readonly dockerfile: string;
    readonly args?: { readonly [name: string]: string };
    readonly network?: string;
    readonly platform?: string;
  };
  readonly registry?: { readonly server: string; readonly username: string; readonly password: string };
}

export interface DockerClient {
  /** The docker command. */
  readonly command: string;
  /** `DOCKER_HOST`, where it is not the default. */
  readonly host?: string;
  /** Called with each line that docker prints. */
  readonly onLine: (line: string) => void;
}

async function docker(
  { command, host, onLine }: DockerClient,
  config: string,
  what: string,
  args: readonly string[],
): Promise<string[]> {
  // A configuration directory of its own: the user's Docker login is neither read nor changed.
  const env = {
    DOCKER_CONFIG: config,
    DOCKER_BUILDKIT: "1",
    BUILDKIT_PROGRESS: "plain",
    ...(host === undefined ? {} : { DOCKER_HOST: host }),
  };
  const subprocess = execa(command, args, { env, reject: false, all: true, stdin: "ignore" });
  const lines: string[] = [];
  for await (const line of subprocess.iterable({ from: "all" })) {
    lines.push(stripVTControlCharacters(line));
    onLine(line);
  }
  const result = await subprocess;
  if (result.failed)
    throw new Fault({
      what,
      rule: `must succeed (${result.code ?? `exit ${result.exitCode ?? result.signal}`})`,
      log: lines.slice(-40).join("\n"),
    });
  return lines;
}

/**
 * Builds and pushes an image as the docker provider would. Docker's build cache and the registry's layers make an
 * unchanged source the same digest again, at the price of asking.
 *
 * @returns `repository@sha256:…`
 * @throws Fault with the last lines of the build or push that failed
 */
export async function buildAndPush(
  name: string,
  { imageName, build, registry }: ImageInputs,
  client: DockerClient,
): Promise<string> {
  const config = await mkdtemp(join(tmpdir(), "slipway-docker-"));
  try {
    const auths =
      registry === undefined
        ? {}
        : {
            [registry.server]: {
              auth: Buffer.from(`${registry.username}:${registry.password}`).toString("base64"),
            },
          };
    await writeFile(join(config, "config.json"), JSON.stringify({ auths }), { mode: 0o600 });
    const options = [
      ...Object.entries(build.args ?? {}).flatMap(([key, value]) => ["--build-arg", `${key}=${value}`]),
      ...(build.network === undefined ? [] : ["--network", build.network]),
      ...(build.platform === undefined ? [] : ["--platform", build.platform]),
    ];
    await docker(client, config, `docker build of ${name} (${relative(root, build.dockerfile)})`, [
      "build",
      "--tag",
      imageName,
      "--file",
      build.dockerfile,
      ...options,
      build.context,
    ]);
    const pushed = await docker(client, config, `docker push of ${imageName}`, ["push", imageName]);
    const digest = pushed
      .map((line) => /digest: (sha256:[a-f0-9]{64})/.exec(line)?.[1])
      .findLast((found) => found !== undefined);
    if (digest === undefined)
      throw new Fault({
        what: `docker push of ${imageName}`,
        rule: "must tell the digest",
        log: pushed.slice(-5).join("\n"),
      });
    return `${imageName.replace(/:[^:/]+$/, "")}@${digest}`;
  } finally {
    await rm(config, { recursive: true, force: true });
  }
}
