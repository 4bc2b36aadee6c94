import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { attest } from "../../ci/images/attest.ts";
import { copyImage } from "../../ci/images/copy.ts";
import { buildAndPush, dockerClient, dockerConfig } from "../../local/deliver/image.ts";
import { readDescriptor } from "../../local/descriptor.ts";
import { writeFiles } from "../support/temporary.ts";

async function missing(...tools: string[]): Promise<string[]> {
  const runs = await Promise.all(
    tools.map((tool) => execa(tool, [tool === "skopeo" ? "--version" : "version"], { reject: false })),
  );
  const absent = tools.filter((_, index) => runs[index]?.failed);
  if (absent.length > 0) console.warn(`Skipped: ${absent.join(" and ")} must be on PATH.`);
  return absent;
}

const other = "127.0.0.1:26495";
const directory = mkdtempSync(join(tmpdir(), "slipway-test-images-"));
let registry: { server: string; username: string; password: string };
let reference: string;
let otherRegistry: ChildProcess | undefined;

/** What a registry has under a digest. */
async function manifest(image: string, authorization?: string): Promise<unknown> {
  const [, server, repository, digest] = /^([^/]+)\/(.+)@(.+)$/.exec(image) ?? [];
  const response = await fetch(`http://${server}/v2/${repository}/manifests/${digest}`, {
    headers: {
      accept: "application/vnd.docker.distribution.manifest.v2+json",
      ...(authorization === undefined ? {} : { authorization }),
    },
    signal: AbortSignal.timeout(5000),
  });
  if (!response.ok) throw new Error(`${image}: ${response.status}`);
  return response.json();
}

beforeAll(async () => {
  const { docker, registry: own } = readDescriptor();
  registry = own as typeof registry;
  writeFiles(directory, {
    Dockerfile: "FROM scratch\nCOPY package.json bom.cdx.json /\n",
    "package.json": '{ "name": "an-image", "version": "1.0.0" }\n',
    "bom.cdx.json": JSON.stringify({
      bomFormat: "CycloneDX",
      specVersion: "1.6",
      components: [{ type: "library", name: "bundled", version: "2.0.0", purl: "pkg:npm/bundled@2.0.0" }],
    }),
  });
  reference = await buildAndPush(
    "an-image",
    {
      imageName: `${registry.server}/slipway/test-images:1`,
      build: { context: directory, dockerfile: join(directory, "Dockerfile") },
      registry,
    },
    dockerClient(docker.host, () => {}),
  );
});

afterAll(async () => {
  if (otherRegistry?.exitCode === null) {
    otherRegistry.kill();
    await once(otherRegistry, "exit");
  }
  rmSync(directory, { recursive: true });
});

describe.skipIf((await missing("skopeo")).length > 0)("to a registry of its own", () => {
  test("an image is copied with its digest, and a second time at once", async () => {
    writeFiles(directory, {
      "registry.yml": `version: 0.1\nstorage: { filesystem: { rootdirectory: ${join(directory, "registry")} } }\nhttp: { addr: "${other}" }\n`,
    });
    otherRegistry = spawn("docker-registry", ["serve", join(directory, "registry.yml")], { stdio: "ignore" });
    await expect
      .poll(
        () =>
          fetch(`http://${other}/v2/`).then(
            ({ status }) => status,
            () => 0,
          ),
        { timeout: 15_000 },
      )
      .toBe(200);
    const ends = { from: { server: registry.server, user: registry }, to: { server: other } };
    const copied = await copyImage(reference, "prod/test-images", "1", ends);
    expect(copied).toBe(`${other}/prod/test-images@${reference.split("@")[1]}`);
    const basic = Buffer.from(`${registry.username}:${registry.password}`).toString("base64");
    expect(await manifest(copied)).toEqual(await manifest(reference, `Basic ${basic}`));
    expect(await copyImage(reference, "prod/test-images", "1", ends)).toBe(copied);
  });

  test("a copy to where nobody listens fails with the reason, and says what to do", async () => {
    const ends = { from: { server: registry.server, user: registry }, to: { server: "127.0.0.1:26496" } };
    await expect(copyImage(reference, "prod/test-images", "1", ends)).rejects.toThrow(
      /connection refused(.|\n)*run this again/,
    );
  });
});

describe.skipIf((await missing("cosign", "syft")).length > 0)("with a key", () => {
  test("an image is signed, and has a provenance and an SBOM, each verified by its key and by no other", async () => {
    const keys = { ...process.env, COSIGN_PASSWORD: "not so secret" };
    for (const name of ["own", "other"])
      await execa("cosign", ["generate-key-pair", "--output-key-prefix", name], {
        cwd: directory,
        env: keys,
      });
    const { done, left } = await attest({
      references: [reference],
      registry: { server: registry.server, push: registry },
      build: "an-image-1",
      commit: "0123456789abcdef0123456789abcdef01234567",
      builder: "https://example.com/pipeline",
      env: { ...keys, COSIGN_KEY: join(directory, "own.key") },
    });
    expect([done, left]).toEqual([["signed by cosign", "SLSA provenance", "CycloneDX SBOM by syft"], []]);

    writeFiles(directory, { "config.json": dockerConfig([registry]) });
    const verify = (command: string, key: string, ...args: string[]) =>
      execa(
        "cosign",
        [
          ...[command, "--key", join(directory, key), "--insecure-ignore-tlog=true"],
          ...["--allow-http-registry", ...args, reference],
        ],
        { env: { ...process.env, DOCKER_CONFIG: directory } },
      );
    await verify("verify", "own.pub");
    await expect(verify("verify", "other.pub")).rejects.toThrow(
      /no (matching )?signatures|invalid signature/i,
    );
    const statement = async (type: string) => {
      const { stdout } = await verify("verify-attestation", "own.pub", "--type", type);
      const { payload } = JSON.parse(stdout.split("\n")[0] ?? "") as { payload: string };
      return JSON.parse(Buffer.from(payload, "base64").toString()) as { predicate: unknown };
    };
    expect((await statement("slsaprovenance1")).predicate).toMatchObject({
      buildDefinition: { resolvedDependencies: [{ digest: { gitCommit: expect.stringMatching(/^0123/) } }] },
      runDetails: { builder: { id: "https://example.com/pipeline" } },
    });
    const { components } = (await statement("cyclonedx")).predicate as {
      readonly components: readonly { readonly name: string; readonly version: string }[];
    };
    const packages = components.map(({ name, version }) => `${name}@${version}`);
    expect(packages).toEqual(expect.arrayContaining(["an-image@1.0.0", "bundled@2.0.0"]));
  });
});
