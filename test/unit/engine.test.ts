import { chmodSync, existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { root } from "../../infra/projectRoot.ts";
import { deliverByEngine, findPulumi, LocalStack } from "../../local/deliver/engine.ts";
import { stackConfig } from "../../local/deliver/project.ts";
import { temporaryDirectory, writeFiles } from "../support/temporary.ts";

/** A Pulumi CLI that notes its arguments, a line a call, and does as the shell script says. */
function fakePulumi(script: string) {
  const directory = temporaryDirectory({
    "bin/pulumi": `#!/bin/sh\necho "$*" >> "${"$"}{0%/*}/calls"\nenv | grep ^PULUMI_ > "${"$"}{0%/*}/env"\n${script}\n`,
  });
  const command = join(directory, "bin/pulumi");
  chmodSync(command, 0o755);
  const state = join(directory, "state");
  const progress: string[] = [];
  const options = {
    directory: state,
    stack: "local",
    config: stackConfig("local"),
    report: { progress: (line: string) => progress.push(line) },
  };
  return {
    bin: join(directory, "bin"),
    cli: { command, args: [], version: "v3.270.0" },
    options,
    state,
    progress,
    /** The calls, without the arguments that all of them have. */
    calls: () =>
      readFileSync(join(directory, "bin/calls"), "utf8")
        .trim()
        .split("\n")
        .map((line) => line.replace(`--non-interactive --color never --cwd ${join(state, "project")} `, "")),
    env: () => readFileSync(join(directory, "bin/env"), "utf8"),
  };
}

const outputs = `case "$*" in *"stack output"*) echo '{"urls":{"api":"http://127.0.0.1:30081"}}';; esac`;

test("a delivery opens the stack, brings it up without a question, and reads its outputs", async () => {
  const { cli, options, calls } = fakePulumi(outputs);
  expect(await deliverByEngine(cli, options)).toEqual({ urls: { api: "http://127.0.0.1:30081" } });
  expect(calls()).toEqual([
    "stack select --create local",
    "up --yes --skip-preview --stack local",
    "stack output --json --stack local",
  ]);
});

test("the lock of an interrupted update is cleared before the next, and only then", async () => {
  const { cli, options, calls, state } = fakePulumi(outputs);
  const { name } = parse(readFileSync(join(root, "Pulumi.yaml"), "utf8"));
  writeFiles(state, { [`state/.pulumi/locks/organization/${name}/local/x.json`]: "{}" });
  await new LocalStack(cli, options).open();
  expect(calls()).toEqual(["stack select --create local", "cancel --yes --stack local"]);
});

test("an update that fails shows the CLI's last forty lines, and nothing follows it", async () => {
  const { cli, options, calls } = fakePulumi(
    'case "$*" in *" up "*) i=1; while [ $i -le 50 ]; do echo "line $i"; i=$((i+1)); done; exit 255;; esac',
  );
  const last = Array.from({ length: 40 }, (_, index) => `  | line ${index + 11}`);
  await expect(deliverByEngine(cli, options)).rejects.toThrow(
    ["pulumi up --yes --skip-preview --stack local: must succeed (exit 255)", ...last].join("\n"),
  );
  expect(calls()).toHaveLength(2);
});

test("an atomic release that fails has the state follow what was put back, and fails all the same", async () => {
  const { cli, options, calls } = fakePulumi('case "$*" in *" up "*) echo broken; exit 255;; esac');
  const config = { ...options.config, "slipway:delivery": { kind: "push", atomic: true } };
  await expect(deliverByEngine(cli, { ...options, config })).rejects.toThrow("broken");
  expect(calls()).toEqual([
    "stack select --create local",
    "up --yes --skip-preview --stack local",
    "refresh --yes --skip-preview --stack local",
  ]);
});

describe("the project that the CLI works in", () => {
  test("runs this repository's program with the stack's configuration, and leaves the checkout alone", async () => {
    const before = readdirSync(root);
    const { cli, options, state } = fakePulumi("");
    await new LocalStack(cli, options).open();
    const read = (path: string) => parse(readFileSync(path, "utf8"));
    const definition = read(join(root, "Pulumi.yaml"));
    expect(read(join(state, "project/Pulumi.yaml"))).toEqual({
      name: definition.name,
      runtime: definition.runtime,
      main: join(root, "infra/index.ts"),
    });
    expect(read(join(state, "project/Pulumi.local.yaml"))).toEqual({
      config: read(join(root, "Pulumi.local.yaml")).config,
    });
    expect(readdirSync(root)).toEqual(before);
  });

  test("keeps the stack's encryption salt from run to run", async () => {
    const { cli, options, state } = fakePulumi("");
    writeFiles(state, { "project/Pulumi.local.yaml": "encryptionsalt: v1:salt\n" });
    await new LocalStack(cli, options).open();
    expect(parse(readFileSync(join(state, "project/Pulumi.local.yaml"), "utf8")).encryptionsalt).toBe(
      "v1:salt",
    );
  });

  test("keeps its passphrase in a private file, made once, and out of arguments and environment", async () => {
    const { cli, options, state, calls, env } = fakePulumi("");
    await new LocalStack(cli, options).open();
    const passphrase = readFileSync(join(state, "passphrase"), "utf8");
    await new LocalStack(cli, options).open();
    expect(readFileSync(join(state, "passphrase"), "utf8")).toBe(passphrase);
    expect(passphrase.length).toBeGreaterThan(30);
    expect(statSync(join(state, "passphrase")).mode & 0o777).toBe(0o600);
    expect(statSync(join(state, "state")).mode & 0o777).toBe(0o700);
    expect(env()).toContain(`PULUMI_CONFIG_PASSPHRASE_FILE=${join(state, "passphrase")}`);
    expect(env()).toContain(`PULUMI_BACKEND_URL=file://${join(state, "state")}`);
    expect(`${env()}${calls().join("\n")}`).not.toContain(passphrase);
  });
});

describe("the Pulumi CLI", () => {
  test("is the one on PATH, with its version", async () => {
    const { bin } = fakePulumi("echo v3.270.0");
    expect(await findPulumi({ PATH: `/nonexistent:${bin}` })).toEqual({
      command: join(bin, "pulumi"),
      args: [],
      version: "v3.270.0",
    });
  });

  test("is none where the one on PATH does not run", async () => {
    const { bin } = fakePulumi("exit 1");
    expect(await findPulumi({ PATH: bin })).toBeUndefined();
  });

  test("is not a file of that name that cannot be run, when one that can comes later", async () => {
    const { bin } = fakePulumi("echo v1");
    const plain = temporaryDirectory({ pulumi: "text" });
    expect(await findPulumi({ PATH: `${plain}:${bin}` })).toMatchObject({ command: join(bin, "pulumi") });
    expect(existsSync(join(plain, "pulumi"))).toBe(true);
  });
});
