import { type ChildProcess, spawn } from "node:child_process";
import { globSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { Cluster, type KubeObject } from "../../infra/cluster/cluster.ts";
import { readDescriptor } from "../../local/descriptor.ts";
import { resolveSettings } from "../../local/settings.ts";
import { fluxKustomizeTools, fluxSourceTools } from "../../local/toolFamilies.ts";
import { provideTools, type Tools } from "../../local/tools.ts";

/** Custom resource definitions as a controller's own Go module has them. */
function definitions({ share }: Tools): KubeObject[] {
  return globSync(join(share, "*.yaml")).flatMap((file) =>
    parseAllDocuments(readFileSync(file, "utf8")).map((document) => withV1(document.toJS() as Definition)),
  );
}

interface Definition extends KubeObject {
  readonly spec: { readonly versions: readonly { readonly name: string }[] };
}

/** The newer of the two controllers looks for v1 of kinds that no stack uses, and the older one's module has not. */
function withV1(definition: Definition): KubeObject {
  const { versions } = definition.spec;
  if (versions.some(({ name }) => name === "v1")) return definition;
  const schema = { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } };
  const v1 = { name: "v1", served: true, storage: false, schema };
  return { ...definition, spec: { ...definition.spec, versions: [...versions, v1] } } as Definition;
}

/**
 * Flux's source and kustomize controllers as processes of this machine: real ones, built from their Go modules. Only in
 * this way, since they come to no registry that every machine reaches.
 */
export class FluxControllers {
  readonly #directory = mkdtempSync(join(tmpdir(), "slipway-flux-"));
  readonly #processes: ChildProcess[] = [];
  readonly #cluster = new Cluster(readFileSync(readDescriptor().kubeconfig, "utf8"));
  #definitions: KubeObject[] = [];

  async start(): Promise<void> {
    const settings = resolveSettings(process.env);
    const [source, kustomize] = [
      await provideTools(settings, fluxSourceTools, () => {}),
      await provideTools(settings, fluxKustomizeTools, () => {}),
    ];
    this.#definitions = [source, kustomize].flatMap(definitions);
    await this.#cluster.apply({
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: "flux-system" },
    });
    for (const definition of this.#definitions) {
      await this.#cluster.apply(definition);
      await this.#cluster.established(definition);
    }
    const storage = "127.0.0.1:32790";
    this.#run(join(source.bin, "source-controller"), 32791, [
      `--storage-path=${this.#directory}`,
      `--storage-addr=${storage}`,
      `--storage-adv-addr=${storage}`,
    ]);
    this.#run(join(kustomize.bin, "kustomize-controller"), 32793, [
      "--feature-gates=CancelHealthCheckOnNewRevision=true",
      "--no-cross-namespace-refs=true",
    ]);
  }

  #run(file: string, port: number, args: readonly string[]): void {
    const log = openSync(join(this.#directory, `${port}.log`), "w");
    const options = [
      ...["--enable-leader-election=false", "--events-addr=", "--log-level=error"],
      ...[`--metrics-addr=127.0.0.1:${port}`, `--health-addr=127.0.0.1:${port + 1}`],
    ];
    const env = { ...process.env, KUBECONFIG: readDescriptor().kubeconfig, RUNTIME_NAMESPACE: "flux-system" };
    this.#processes.push(spawn(file, [...options, ...args], { env, stdio: ["ignore", log, log] }));
  }

  /** What the controllers have said, for a test that fails. */
  logs(): string {
    return globSync(join(this.#directory, "*.log"))
      .map((file) => readFileSync(file, "utf8"))
      .join("\n");
  }

  async stop(): Promise<void> {
    for (const controller of this.#processes) controller.kill();
    for (const definition of this.#definitions) await this.#cluster.delete(definition);
    await this.#cluster.delete({ apiVersion: "v1", kind: "Namespace", metadata: { name: "flux-system" } });
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
