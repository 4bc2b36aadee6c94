import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { onTestFinished, vi } from "vitest";
import { parse } from "yaml";
import { application } from "../../infra/application.ts";
import type { Release } from "../../infra/config/images.ts";
import { temporaryDirectory } from "./temporary.ts";

// A dozen processes a test, on a machine that may have other work.
vi.setConfig({ testTimeout: 30_000 });

/**
 * Answers as Pulumi 3.260 did in a recording: the stacks, outputs and history that the test gives. An update copies
 * the stack file that it was given, and puts out the images in it.
 */
const recordedPulumi = `#!/bin/sh
dir=\${0%/*}
echo "$*" >> "$dir/pulumi.calls"
stack= config= previous=
for argument in "$@"; do
  case "$previous" in --stack) stack=$argument;; --config-file) config=$argument;; esac
  previous=$argument
done
[ -f "$dir/before.sh" ] && . "$dir/before.sh"
case "$*" in
  version*) echo v3.260.0;;
  "stack ls"*) cat "$dir/stacks.json";;
  "stack output"*) cat "$dir/$stack.outputs.json";;
  "stack history"*) cat "$dir/$stack.history.json";;
  "stack tag ls"*) cat "$dir/$stack.tags.json" 2>/dev/null || echo "{}";;
  "up "*) cp "$config" "$dir/$stack.up.yaml"; [ -f "$dir/$stack.after.json" ] && cp "$dir/$stack.after.json" "$dir/$stack.outputs.json"; :;;
esac
`;

/** Notes its arguments and answers as docker would, for images that are as they should be. */
const recordedDocker = `#!/bin/sh
dir=\${0%/*}
echo "$*" >> "$dir/docker.calls"
[ -f "$dir/docker.sh" ] && . "$dir/docker.sh"
case "$*" in
  "image inspect"*) echo 1000:1000;;
  "top "*) printf 'UID PID COMMAND\\n1000 17 node server.js\\n';;
  "inspect "*) echo 0;;
  "push "*) echo "4711: digest: sha256:$(echo "$2" | sha256sum | cut -c1-64) size: 1";;
esac
`;

export const digest = (digit: string) => `sha256:${digit.repeat(64)}`;

/** A build of the application whose digests are all of one digit. */
export function release(build: string, digit: string, server = "registry.example"): Release {
  const image = (name: string) => ({
    reference: `${server}/slipway/${name}@${digest(digit)}`,
    version: build,
  });
  return {
    build,
    commit: digit.repeat(40),
    workloads: Object.fromEntries(Object.keys(application).map((name) => [name, image(name)])),
  };
}

/** One update of a stack's history as `pulumi stack history --json` gives it. */
export function update(given: Release, { result = "succeeded", at = "2026-11-22T07:05:03.000Z" } = {}) {
  return {
    version: 0,
    kind: "update",
    startTime: at,
    message: "",
    environment: {},
    config: {
      "slipway:images": {
        value: JSON.stringify({ source: "digests", release: given }),
        secret: false,
      },
    },
    result,
    endTime: at,
  };
}

/** A cluster, a registry and an application's URLs, as far as the commands ask them. */
export class FakeWorld {
  /** Images by Deployment. */
  readonly deployments = new Map<string, { image: string; available?: number }>();
  /** Argo CD's Applications; where there are none, neither is Argo CD. */
  readonly applications: unknown[] = [];
  /** Paths that answer otherwise than 200. */
  readonly answers = new Map<string, number>();
  address = "";

  async listen(): Promise<void> {
    const server = createServer((request, response) => {
      const path = request.url ?? "";
      response.setHeader("content-type", "application/json");
      if (path === "/apis/apps/v1") {
        const resources = [{ name: "deployments", kind: "Deployment", namespaced: true }];
        response.end(JSON.stringify({ kind: "APIResourceList", groupVersion: "apps/v1", resources }));
        return;
      }
      // What is there of Argo are Applications, not Rollouts.
      if (path === "/apis/argoproj.io/v1alpha1") {
        response.end(JSON.stringify({ kind: "APIResourceList", resources: [] }));
        return;
      }
      if (path.includes("/deployments")) {
        response.end(JSON.stringify({ kind: "DeploymentList", apiVersion: "apps/v1", items: this.#items() }));
        return;
      }
      if (path.includes("/argoproj.io/")) {
        response.statusCode = this.applications.length === 0 ? 404 : 200;
        response.end(JSON.stringify({ items: this.applications }));
        return;
      }
      response.statusCode = this.answers.get(path) ?? 200;
      response.end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    this.address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  #items() {
    return [...this.deployments].map(([name, { image, available = 2 }]) => ({
      metadata: { name, generation: 1 },
      spec: { replicas: 2, template: { spec: { containers: [{ name, image }] } } },
      status: { observedGeneration: 1, replicas: 2, updatedReplicas: 2, availableReplicas: available },
    }));
  }

  run({ workloads }: Release): void {
    for (const [name, { reference }] of Object.entries(workloads))
      this.deployments.set(name, { image: reference });
  }

  get kubeconfig(): string {
    return JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      clusters: [
        { name: "fake", cluster: { server: `http://${this.address}`, "insecure-skip-tls-verify": true } },
      ],
      users: [{ name: "fake", user: {} }],
      contexts: [{ name: "fake", context: { cluster: "fake", user: "fake" } }],
      "current-context": "fake",
    });
  }
}

/** The tools of a pipeline, recorded, first on PATH; and what they answer. */
export class Pipeline {
  readonly world = new FakeWorld();
  readonly bin = temporaryDirectory();
  readonly printed: string[] = [];

  static async create(): Promise<Pipeline> {
    const pipeline = new Pipeline();
    await pipeline.world.listen();
    pipeline.tool("pulumi", recordedPulumi);
    pipeline.tool("docker", recordedDocker);
    pipeline.stacks("dev", "prod");
    vi.stubEnv("PATH", `${pipeline.bin}:/usr/bin:/bin`);
    vi.stubEnv("XDG_STATE_HOME", join(pipeline.bin, "state"));
    for (const name of [
      "GITHUB_RUN_NUMBER",
      "CI_PIPELINE_IID",
      "BUILD_BUILDNUMBER",
      "BITBUCKET_BUILD_NUMBER",
    ])
      vi.stubEnv(name, "");
    vi.stubEnv("BUILD_NUMBER", "4711");
    vi.stubEnv("GITHUB_ACTOR", "jane");
    const log = vi
      .spyOn(console, "log")
      .mockImplementation((line) => void pipeline.printed.push(String(line)));
    const write = vi.spyOn(process.stdout, "write").mockImplementation(() => true);
    onTestFinished(() => {
      vi.unstubAllEnvs();
      log.mockRestore();
      write.mockRestore();
    });
    return pipeline;
  }

  tool(name: string, script: string): void {
    writeFileSync(join(this.bin, name), script);
    chmodSync(join(this.bin, name), 0o755);
  }

  file(name: string, content: unknown): string {
    const path = join(this.bin, name);
    writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
    return path;
  }

  stacks(...names: string[]): void {
    this.file(
      "stacks.json",
      names.map((name) => ({ name, current: false, resourceCount: 20 })),
    );
    for (const name of names) {
      this.outputs(name, {});
      this.history(name, []);
    }
  }

  /** Outputs of a stack that runs a build, with its platform. */
  outputsOf({ workloads }: Release, server = "registry.example") {
    return {
      urls: Object.fromEntries(Object.keys(workloads).map((name) => [name, `http://${this.world.address}`])),
      images: workloads,
      namespace: "dev",
      kubeconfig: this.world.kubeconfig,
      platform: this.platform(server),
    };
  }

  platform(server: string) {
    const user = { username: "ci", password: "hunter2" };
    return {
      version: 1,
      cluster: { kubeconfig: this.world.kubeconfig, clusterIdentifier: "fake", disposable: true },
      registry: { server, push: user, pull: user },
      builder: { platform: "linux/amd64" },
    };
  }

  outputs(stack: string, outputs: unknown): void {
    this.file(`${stack}.outputs.json`, outputs);
  }

  /** What the stack puts out once it has been updated. */
  after(stack: string, outputs: unknown): void {
    this.file(`${stack}.after.json`, outputs);
  }

  tags(stack: string, tags: { readonly [name: string]: string }): void {
    this.file(`${stack}.tags.json`, tags);
  }

  history(stack: string, updates: readonly unknown[]): void {
    this.file(`${stack}.history.json`, updates);
  }

  /** A stack that runs a build, and runs it well. */
  runs(stack: string, given: Release, server?: string): void {
    this.outputs(stack, this.outputsOf(given, server));
    this.history(stack, [update(given)]);
    this.world.run(given);
  }

  /** Calls of a tool, without the arguments that all of them have. */
  calls(tool: "pulumi" | "docker" | "skopeo"): string[] {
    const path = join(this.bin, `${tool}.calls`);
    if (!existsSync(path)) return [];
    return readFileSync(path, "utf8")
      .trim()
      .split("\n")
      .map((line) =>
        line
          .replace(" --non-interactive --color never", "")
          .replace(/--config-file \S+/, "--config-file FILE"),
      );
  }

  /** Calls of pulumi that change something. */
  changes(): string[] {
    return this.calls("pulumi").filter((call) => !/^(version|stack (ls|output|history|tag ls))/.test(call));
  }

  /** `slipway:images` of the stack file that an update was given. */
  givenImages(stack: string): unknown {
    const { config } = parse(readFileSync(join(this.bin, `${stack}.up.yaml`), "utf8")) as {
      config: Record<string, unknown>;
    };
    return config["slipway:images"];
  }
}
