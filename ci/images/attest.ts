import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { Fault } from "../../infra/fault.ts";
import { registryUrl } from "../../infra/platform/reachable.ts";
import { dockerConfig } from "../../local/deliver/image.ts";

export interface Attested {
  /** What was attached to the images, for people. */
  readonly done: readonly string[];
  /** What was not, and why. */
  readonly left: readonly string[];
}

export interface Attestation {
  /** `registry/repository@sha256:…` of what was pushed. */
  readonly references: readonly string[];
  readonly registry: {
    readonly server: string;
    readonly push?: { readonly username: string; readonly password: string } | undefined;
  };
  /** What the provenance tells: SLSA's own predicate, as far as the build knows it. */
  readonly build: string;
  readonly commit: string | undefined;
  readonly builder: string;
  readonly env: NodeJS.ProcessEnv;
}

async function installed(tool: string, env: NodeJS.ProcessEnv): Promise<boolean> {
  return !(await execa(tool, ["version"], { reject: false, stdin: "ignore", env })).failed;
}

async function run(tool: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  const { failed, all } = await execa(tool, args, { env, reject: false, all: true, stdin: "ignore" });
  if (failed)
    throw new Fault({
      what: `${tool} ${args[0]}`,
      rule: "must succeed",
      log: all.split("\n").slice(-15).join("\n"),
    });
}

/** SLSA v1 provenance: what was built, from which commit, by which run. */
function provenance({ build, commit, builder }: Attestation): unknown {
  return {
    buildDefinition: {
      buildType: "https://slsa.dev/container-based-build/v0.1",
      externalParameters: { build },
      resolvedDependencies: commit === undefined ? [] : [{ digest: { gitCommit: commit } }],
    },
    runDetails: { builder: { id: builder }, metadata: { invocationId: build } },
  };
}

/**
 * Attaches an SBOM and a provenance to pushed images and signs them, by syft and cosign, where they are there and
 * COSIGN_KEY names a key (a file, `env://VARIABLE`, `azurekms://…`).
 *
 * @throws Fault when a tool that is there fails
 */
export async function attest(attestation: Attestation): Promise<Attested> {
  const { references, registry, env: given } = attestation;
  const key = given.COSIGN_KEY;
  if (key === undefined || key === "")
    return { done: [], left: ["not signed, no SBOM or provenance attached: COSIGN_KEY is not set"] };
  if (!(await installed("cosign", given)))
    throw new Fault({
      what: "cosign",
      rule: "must be on PATH: COSIGN_KEY is set, so images are to be signed",
      fix: "install cosign, or unset COSIGN_KEY",
    });
  const directory = mkdtempSync(join(tmpdir(), "slipway-attest-"));
  try {
    const { server, push } = registry;
    writeFileSync(
      join(directory, "config.json"),
      dockerConfig(push === undefined ? [] : [{ server, ...push }]),
      { mode: 0o600 },
    );
    const plain = registryUrl(server).protocol === "http:";
    const env = {
      ...given,
      DOCKER_CONFIG: directory,
      ...(plain ? { SYFT_REGISTRY_INSECURE_USE_HTTP: "true" } : {}),
    };
    // Who verifies has the key: nothing of a private image goes to a public log.
    const options = [
      "--yes",
      "--key",
      key,
      "--tlog-upload=false",
      ...(plain ? ["--allow-http-registry"] : []),
    ];
    const cosign = (command: string, ...args: string[]) => run("cosign", [command, ...options, ...args], env);
    const predicate = join(directory, "provenance.json");
    writeFileSync(predicate, JSON.stringify(provenance(attestation)));
    const withSbom = await installed("syft", given);
    for (const reference of references) {
      await cosign("sign", reference);
      await cosign("attest", "--type", "slsaprovenance1", "--predicate", predicate, reference);
      if (!withSbom) continue;
      const sbom = join(directory, "sbom.json");
      // A bundle has no node_modules that could be looked through: it brings its own list.
      const catalogers = ["--select-catalogers", "+sbom-cataloger"];
      const output = ["--output", `cyclonedx-json=${sbom}`];
      await run("syft", ["scan", `registry:${reference}`, ...catalogers, ...output], env);
      await cosign("attest", "--type", "cyclonedx", "--predicate", sbom, reference);
    }
    return {
      done: ["signed by cosign", "SLSA provenance", ...(withSbom ? ["CycloneDX SBOM by syft"] : [])],
      left: withSbom ? [] : ["no SBOM: syft is not on PATH"],
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
