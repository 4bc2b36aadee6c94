import { chmodSync, existsSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { Fault } from "../../infra/fault.ts";
import { root } from "../../infra/projectRoot.ts";
import { buildAndPush, type DockerClient, type ImageInputs } from "../../local/deliver/image.ts";
import { withoutSecretMarkers } from "../../local/deliver/secrets.ts";
import { temporaryDirectory } from "../support/temporary.ts";

const digest = `sha256:${"b".repeat(64)}`;
const auth = Buffer.from("ci:hunter2").toString("base64");

const inputs: ImageInputs = {
  imageName: "127.0.0.1:5000/shop/api:4711",
  build: {
    context: join(root, "app/api"),
    dockerfile: join(root, "app/api/Dockerfile"),
    args: { BASE_IMAGE: "base:24" },
    network: "host",
    platform: "linux/amd64",
  },
  registry: { server: "127.0.0.1:5000", username: "ci", password: "hunter2" },
};

/** What a fake docker was called with: arguments, relevant environment, and its configuration. */
interface Call {
  readonly args: string;
  readonly host: string;
  readonly buildkit: string;
  readonly config: string;
  readonly mode: string;
  readonly directory: string;
}

/** A docker command that records its calls and does as the shell script says; `$1` is `build` or `push`. */
function fakeDocker(script: string) {
  const directory = temporaryDirectory({
    docker: `#!/bin/sh
n=$(ls ${"$"}{0%/*}/calls | wc -l)
call=${"$"}{0%/*}/calls/$n
mkdir $call
printf '%s\\n' "$@" > $call/args
printf '%s' "$DOCKER_HOST" > $call/host
printf '%s' "$DOCKER_BUILDKIT" > $call/buildkit
printf '%s' "$DOCKER_CONFIG" > $call/directory
stat -c %a "$DOCKER_CONFIG" "$DOCKER_CONFIG/config.json" > $call/mode
cp "$DOCKER_CONFIG/config.json" $call/config
${script}
`,
    "calls/.keep": "",
  });
  chmodSync(join(directory, "docker"), 0o755);
  const lines: string[] = [];
  const client: DockerClient = {
    command: join(directory, "docker"),
    host: "unix:///run/fake.sock",
    onLine: (line) => lines.push(line),
  };
  const calls = () =>
    readdirSync(join(directory, "calls"))
      .filter((name) => name !== ".keep")
      .sort()
      .map((name) => {
        const read = (file: keyof Call) => readFileSync(join(directory, "calls", name, file), "utf8").trim();
        return {
          args: read("args"),
          host: read("host"),
          buildkit: read("buildkit"),
          config: read("config"),
          mode: read("mode"),
          directory: read("directory"),
        } satisfies Call;
      });
  return { client, calls, lines };
}

const succeeding = `[ $1 = build ] && echo "#1 building" || echo "4711: digest: ${digest} size: 1234"`;

async function faultOf(attempt: Promise<unknown>): Promise<string> {
  return attempt.then(
    () => "succeeded",
    (error: Error) => {
      expect(error).toBeInstanceOf(Fault);
      return error.message;
    },
  );
}

test("an image is built, pushed, and known by the digest that the push tells", async () => {
  const docker = fakeDocker(succeeding);
  expect(await buildAndPush("api", inputs, docker.client)).toBe(`127.0.0.1:5000/shop/api@${digest}`);
  expect(docker.calls().map(({ args }) => args.split("\n"))).toEqual([
    [
      "build",
      "--tag",
      "127.0.0.1:5000/shop/api:4711",
      "--file",
      inputs.build.dockerfile,
      "--build-arg",
      "BASE_IMAGE=base:24",
      "--network",
      "host",
      "--platform",
      "linux/amd64",
      inputs.build.context,
    ],
    ["push", "127.0.0.1:5000/shop/api:4711"],
  ]);
  expect(docker.calls().map(({ host }) => host)).toEqual(["unix:///run/fake.sock", "unix:///run/fake.sock"]);
  expect(docker.lines).toEqual(["#1 building", `4711: digest: ${digest} size: 1234`]);
});

test("the digest is the last one told, for a registry without a port as well", async () => {
  const docker = fakeDocker(
    `echo "layer: digest: sha256:${"c".repeat(64)}"; echo "digest: ${digest} size: 1"`,
  );
  const named = { ...inputs, imageName: "registry.example/api:4711" };
  expect(await buildAndPush("api", named, docker.client)).toBe(`registry.example/api@${digest}`);
});

test("the credentials are in a private file that is gone afterwards, and in no argument and no output", async () => {
  const docker = fakeDocker(succeeding);
  await buildAndPush("api", inputs, docker.client);
  for (const { args, config, mode, directory } of docker.calls()) {
    expect(JSON.parse(config)).toEqual({ auths: { "127.0.0.1:5000": { auth } } });
    expect(mode).toBe("700\n600");
    expect(directory.startsWith(join(tmpdir(), "slipway-docker-"))).toBe(true);
    expect(existsSync(directory)).toBe(false);
    expect(args).not.toContain("hunter2");
    expect(args).not.toContain(auth);
  }
  expect(docker.calls()).toHaveLength(2);
  expect(docker.lines.join("\n")).not.toContain("hunter2");
});

test("the user's own Docker login is not read", async () => {
  vi.stubEnv("DOCKER_CONFIG", "/home/someone/.docker");
  const docker = fakeDocker(succeeding);
  await buildAndPush("api", inputs, docker.client).finally(() => vi.unstubAllEnvs());
  for (const { directory } of docker.calls()) expect(directory).not.toBe("/home/someone/.docker");
});

test("a registry that asks nobody is pushed to without credentials", async () => {
  const docker = fakeDocker(succeeding);
  const { registry, ...anonymous } = inputs;
  await buildAndPush("api", anonymous, docker.client);
  expect(docker.calls().map(({ config }) => config)).toEqual(['{"auths":{}}', '{"auths":{}}']);
});

test("a build that fails shows its last forty lines, in order and without colours, and nothing is pushed", async () => {
  const docker = fakeDocker(
    "i=1; while [ $i -le 60 ]; do echo \"line $i\"; i=$((i+1)); done; printf '\\033[31mERROR\\033[0m: no such file\\n'; exit 3",
  );
  const last = [...Array.from({ length: 39 }, (_, index) => `line ${index + 22}`), "ERROR: no such file"];
  expect(await faultOf(buildAndPush("api", inputs, docker.client))).toBe(
    [
      "docker build of api (app/api/Dockerfile): must succeed (exit 3)",
      ...last.map((line) => `  | ${line}`),
    ].join("\n"),
  );
  expect(docker.calls()).toHaveLength(1);
  expect(existsSync(docker.calls()[0]?.directory ?? "")).toBe(false);
});

test("a push that is refused shows why", async () => {
  const docker = fakeDocker('[ $1 = build ] || { echo "unauthorized: authentication required"; exit 1; }');
  expect(await faultOf(buildAndPush("api", inputs, docker.client))).toBe(
    "docker push of 127.0.0.1:5000/shop/api:4711: must succeed (exit 1)\n  | unauthorized: authentication required",
  );
});

test("a push that tells no digest is an error: only a digest may run", async () => {
  const docker = fakeDocker('[ $1 = build ] || echo "4711: pushed"');
  expect(await faultOf(buildAndPush("api", inputs, docker.client))).toBe(
    "docker push of 127.0.0.1:5000/shop/api:4711: must tell the digest\n  | 4711: pushed",
  );
});

test("a machine without docker is told so", async () => {
  const client = { command: "/nonexistent/docker", onLine: () => {} };
  expect(await faultOf(buildAndPush("api", inputs, client))).toBe(
    "docker build of api (app/api/Dockerfile): must succeed (ENOENT)",
  );
});

test("Pulumi's secret markers are taken off at any depth, and all else is kept", () => {
  const secret = (value: unknown) => ({
    "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
    value,
  });
  expect(withoutSecretMarkers({ a: secret({ b: [secret("x"), 0, null, ""] }), c: false })).toEqual({
    a: { b: ["x", 0, null, ""] },
    c: false,
  });
});
