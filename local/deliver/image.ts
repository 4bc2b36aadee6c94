import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { execa } from "execa";
import { Fault } from "../../infra/fault.ts";
import { root } from "../../infra/projectRoot.ts";
import { registryFailure } from "./registryFailure.ts";

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
  /** Why the registry has failed since a moment, where that can be known: docker tells the status of its answer alone. */
  readonly registryFailure?: (since: Date) => string | undefined;
}

/** The docker command that speaks to a daemon: the embedded one comes with a client of its own version. */
export function dockerClient(host: string | undefined, onLine: (line: string) => void): DockerClient {
  return host === undefined
    ? { command: "docker", onLine }
    : { command: "/usr/bin/docker", host, onLine, registryFailure };
}

/** What a push that is tried again prints every second, for each layer. */
const countdown = /: Retrying in \d+ seconds?$/;

/** What a run of docker is called in a message, and its arguments. */
type Run = readonly [what: string, args: readonly string[]];

/** Runs docker with a configuration directory of its own: the user's Docker login is neither read nor changed. */
async function withConfig<T>(
  registry: ImageInputs["registry"],
  { command, host, onLine }: DockerClient,
  action: (docker: (...run: Run) => Promise<string[]>) => Promise<T>,
): Promise<T> {
  const config = await mkdtemp(join(tmpdir(), "slipway-docker-"));
  const env = {
    DOCKER_CONFIG: config,
    DOCKER_BUILDKIT: "1",
    BUILDKIT_PROGRESS: "plain",
    ...(host === undefined ? {} : { DOCKER_HOST: host }),
  };
  try {
    await writeFile(join(config, "config.json"), dockerConfig(registry === undefined ? [] : [registry]), {
      mode: 0o600,
    });
    return await action(async (what, args) => {
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
          log: lines
            .filter((line) => !countdown.test(line))
            .slice(-40)
            .join("\n"),
        });
      return lines;
    });
  } finally {
    await rm(config, { recursive: true, force: true });
  }
}

/** Users of registries, as Docker's config.json holds them. */
export function dockerConfig(registries: readonly NonNullable<ImageInputs["registry"]>[]): string {
  const auths = registries.map(({ server, username, password }) => [
    server,
    { auth: Buffer.from(`${username}:${password}`).toString("base64") },
  ]);
  return JSON.stringify({ auths: Object.fromEntries(auths) });
}

/**
 * Runs docker without anybody's login.
 *
 * @param what what it does, for the message when it fails
 * @returns the lines that it prints
 * @throws Fault with its last lines
 */
export async function runDocker(
  client: DockerClient,
  what: string,
  args: readonly string[],
): Promise<string[]> {
  return withConfig(undefined, client, (docker) => docker(what, args));
}

/**
 * Builds an image and tags it.
 *
 * @throws Fault with the last lines of a build that failed
 */
export async function buildImage(
  name: string,
  { imageName, build, registry }: ImageInputs,
  client: DockerClient,
): Promise<void> {
  const options = [
    ...Object.entries(build.args ?? {}).flatMap(([key, value]) => ["--build-arg", `${key}=${value}`]),
    ...(build.network === undefined ? [] : ["--network", build.network]),
    ...(build.platform === undefined ? [] : ["--platform", build.platform]),
  ];
  const args = ["build", "--tag", imageName, "--file", build.dockerfile, ...options, build.context];
  // With the registry's user: the base image may be in it.
  await withConfig(registry, client, (docker) =>
    docker(`docker build of ${name} (${relative(root, build.dockerfile)})`, args),
  );
}

/**
 * Pushes an image.
 *
 * @returns `repository@sha256:…`
 * @throws Fault with the last lines of a push that failed
 */
export async function pushImage(
  { imageName, registry }: Pick<ImageInputs, "imageName" | "registry">,
  client: DockerClient,
): Promise<string> {
  return withConfig(registry, client, async (docker) => {
    const begin = new Date();
    const pushed = await docker(`docker push of ${imageName}`, ["push", imageName]).catch(
      (error: unknown) => {
        const value = error instanceof Fault ? client.registryFailure?.(begin) : undefined;
        throw value === undefined ? error : new Fault({ ...(error as Fault).parts, value });
      },
    );
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
  });
}

/**
 * Builds and pushes an image as the docker provider would. Docker's build cache and the registry's layers make an
 * unchanged source the same digest again, at the price of asking.
 *
 * @returns `repository@sha256:…`
 * @throws Fault with the last lines of the build or push that failed
 */
export async function buildAndPush(name: string, inputs: ImageInputs, client: DockerClient): Promise<string> {
  await buildImage(name, inputs, client);
  return pushImage(inputs, client);
}
