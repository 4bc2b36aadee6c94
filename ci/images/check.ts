import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Fault } from "../../infra/fault.ts";
import { contentOf } from "../../infra/workloads/content.ts";
import type { Application, HttpCheck, Workload } from "../../infra/workloads/definition.ts";
import { type DockerClient, runDocker } from "../../local/deliver/image.ts";

/** Marks the containers of checks with the second after which one is surely left over. */
const label = "slipway.check.until";
const lifetimeSeconds = 900;

/** Seconds until a workload has to answer. */
const startSeconds = 60;
/** Seconds that it has to end on SIGTERM. */
const stopSeconds = 10;

/** Asks until an answer is 200 to 399, from beside the container: its network has nothing but the loopback. */
const probeScript = `
const [url, seconds] = process.argv.slice(1);
const deadline = Date.now() + seconds * 1000;
let last = "";
while (Date.now() < deadline) {
  try {
    const { status } = await fetch(url, { redirect: "manual", signal: AbortSignal.timeout(5000) });
    if (status >= 200 && status < 400) process.exit(0);
    last = "HTTP " + status;
  } catch (error) { last = error.cause?.code ?? error.message; }
  await new Promise((resolve) => setTimeout(resolve, 100));
}
console.log(last);
process.exit(1);
`;

export interface ImageCheck {
  readonly application: Application;
  readonly name: string;
  /** Tag of the image in the Docker engine. */
  readonly tag: string;
  /** An image with Node.js, which asks from beside the container. */
  readonly probeImage: string;
  readonly client: DockerClient;
}

/** Arguments that run a container as its pod would: no privileges, and nothing to write to but what it names. */
function restrictions({ writablePaths = [], exemptions }: Workload): string[] {
  return [
    "--network=none",
    "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
    ...((exemptions?.writableRootFilesystem ?? false) ? [] : ["--read-only"]),
    ...writablePaths.map((path) => `--tmpfs=${path}:mode=1777`),
  ];
}

/** The definition's environment, in which the other workloads are nowhere. */
function environment(application: Application, name: string): string[] {
  const addresses = Object.fromEntries(
    Object.keys(application).map((other) => [other, `http://${other}.invalid`]),
  );
  const { env = {}, secretEnv = [] } = application[name] as Workload;
  const values = {
    BUILD_NUMBER: "check",
    POD_NAME: "check",
    ...Object.fromEntries(Object.entries(env).map(([key, value]) => [key, contentOf(value, addresses)])),
    ...Object.fromEntries(secretEnv.map((key) => [key, "check"])),
  };
  return Object.entries(values).flatMap(([key, value]) => ["--env", `${key}=${String(value)}`]);
}

class CheckedContainer {
  readonly #check: ImageCheck;
  readonly #name: string;

  constructor(check: ImageCheck) {
    this.#check = check;
    this.#name = `slipway-check-${check.name}-${randomUUID().slice(0, 8)}`;
  }

  get #workload(): Workload {
    return this.#check.application[this.#check.name] as Workload;
  }

  #docker(what: string, ...args: string[]): Promise<string[]> {
    const { client, name } = this.#check;
    return runDocker(client, `image of ${name}: ${what}`, args);
  }

  #fault(rule: string, value?: string, log?: string): Fault {
    return new Fault({
      what: `image of ${this.#check.name}`,
      rule,
      ...(value === undefined ? {} : { value }),
      ...(log === undefined ? {} : { log }),
      fix: "nothing was pushed; correct the Dockerfile or the application",
    });
  }

  /** Kubernetes knows a user that is not root by its number only. */
  async requireUser(): Promise<void> {
    const [user = ""] = await this.#docker(
      "docker image inspect",
      "image",
      "inspect",
      "--format",
      "{{.Config.User}}",
      this.#check.tag,
    );
    if (/^[1-9]\d*(:\d+)?$/.test(user)) return;
    throw this.#fault(
      "must run as a user other than root, by number: USER 1000:1000",
      `USER ${user === "" ? "is not set" : user}`,
    );
  }

  async start(): Promise<void> {
    const { application, name, tag } = this.#check;
    const until = Math.floor(Date.now() / 1000) + lifetimeSeconds;
    const { config } = this.#workload;
    await this.#docker(
      "docker create",
      "create",
      "--name",
      this.#name,
      "--label",
      `${label}=${until}`,
      ...restrictions(this.#workload),
      ...(config === undefined ? [] : ["--volume", config.mountPath]),
      ...environment(application, name),
      tag,
    );
    if (config !== undefined) await this.#mount(config);
    await this.#docker("docker start", "start", this.#name);
  }

  async #mount({ mountPath, files }: NonNullable<Workload["config"]>): Promise<void> {
    const directory = mkdtempSync(join(tmpdir(), "slipway-check-"));
    const addresses = Object.fromEntries(
      Object.keys(this.#check.application).map((other) => [other, `http://${other}.invalid`]),
    );
    try {
      for (const [file, value] of Object.entries(files))
        writeFileSync(join(directory, file), String(contentOf(value, addresses)), { mode: 0o644 });
      await this.#docker("docker cp", "cp", `${directory}/.`, `${this.#name}:${mountPath}`);
    } finally {
      rmSync(directory, { recursive: true });
    }
  }

  async requireAnswer(kind: string, { path, port }: HttpCheck): Promise<void> {
    const url = `http://127.0.0.1:${this.#workload.ports[port]}${path}`;
    const [image, script] = [this.#check.probeImage, probeScript];
    try {
      await this.#docker(
        kind,
        "run",
        "--rm",
        `--network=container:${this.#name}`,
        "--entrypoint=node",
        image,
        "--input-type=module",
        "--eval",
        script,
        url,
        String(startSeconds),
      );
    } catch (error) {
      const said = error instanceof Fault ? (error.parts.log ?? "") : String(error);
      const logs = await this.#docker("docker logs", "logs", "--tail", "20", this.#name).catch(() => []);
      throw this.#fault(
        `must answer 200 to 399 to its ${kind} check at ${path} within ${startSeconds} s, with a read-only root file system and no network`,
        said.trim().split("\n").at(-1) ?? "",
        logs.join("\n"),
      );
    }
  }

  /** Whoever the image names, the processes are what counts. */
  async requireProcesses(): Promise<void> {
    const [, ...rows] = await this.#docker("docker top", "top", this.#name, "-eo", "uid,pid,args");
    const root = rows.find((row) => row.trim().startsWith("0 "));
    if (root !== undefined) throw this.#fault("must run no process as root", root.trim());
  }

  /** @throws Fault when it does not end on SIGTERM, as a pod that is replaced has to */
  async stop(): Promise<void> {
    await this.#docker("docker stop", "stop", `--time=${stopSeconds}`, this.#name);
    const [code] = await this.#docker(
      "docker inspect",
      "inspect",
      "--format",
      "{{.State.ExitCode}}",
      this.#name,
    );
    if (code === "137") throw this.#fault(`must end on SIGTERM within ${stopSeconds} s`, "had to be killed");
  }

  async remove(): Promise<void> {
    await this.#docker("docker rm", "rm", "--force", "--volumes", this.#name).catch(() => {});
  }
}

/**
 * Starts an image as its pod would be, and looks that it answers, writes nothing, is not root and ends when it is told
 * to.
 *
 * @throws Fault with the rule that it breaks and its last log lines
 */
export async function checkImage(check: ImageCheck): Promise<void> {
  const workload = check.application[check.name] as Workload;
  const container = new CheckedContainer(check);
  await container.requireUser();
  try {
    await container.start();
    await container.requireAnswer("liveness", workload.liveness);
    // Who waits for others, or for a database, is alive without them, and not ready.
    if ((workload.connectsTo ?? []).length === 0 && workload.database === undefined)
      await container.requireAnswer("readiness", workload.readiness);
    await container.requireProcesses();
    await container.stop();
  } finally {
    await container.remove();
  }
}

/** Removes the containers of checks that were killed. */
export async function removeLeftovers(client: DockerClient): Promise<void> {
  const rows = await runDocker(client, "docker ps", [
    "ps",
    "--all",
    "--filter",
    `label=${label}`,
    "--format",
    `{{.ID}} {{.Label "${label}"}}`,
  ]);
  const now = Date.now() / 1000;
  const left = rows.map((row) => row.split(" ")).filter(([, until]) => Number(until) < now);
  for (const [id] of left)
    await runDocker(client, "docker rm", ["rm", "--force", "--volumes", id as string]).catch(() => {});
}
