import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parse, stringify } from "yaml";
import { readDescriptor } from "../../../local/descriptor.ts";
import { clients } from "../cluster.ts";
import { ResourceManager } from "./arm.ts";
import type { Inputs } from "./armRules.ts";
import { ContainerRegistry } from "./registry.ts";
import type { Backing, Failure } from "./rules.ts";

interface Kubeconfig {
  readonly clusters: readonly { readonly name: string; readonly cluster: Record<string, string> }[];
  readonly users: readonly { readonly user: Record<string, string> }[];
}

/** An executable that the program calls by name. */
function command(path: string, script: string): void {
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
}

/** Azure, as far as a deployment sees it: the double of azure-native, `az` and `kubelogin` of somebody who is signed in. */
export class AzureDouble {
  readonly #directory = mkdtempSync(join(tmpdir(), "slipway-azure-"));
  readonly #made = join(this.#directory, "made.json");
  readonly #failures = join(this.#directory, "failures.json");
  readonly #secrets = join(this.#directory, "secrets.json");
  readonly #operations = join(this.#directory, "operations.json");
  readonly #rotated = join(this.#directory, "rotated");
  readonly arm = new ResourceManager(this.#directory, () => this.resources());
  #registry: ContainerRegistry | undefined;
  #process: ChildProcess | undefined;
  #port = "";

  /** @param postgres what stands in for database servers */
  async start(postgres?: Backing["postgres"]): Promise<void> {
    const { kubeconfig, registry } = readDescriptor();
    const { clusters, users } = parse(readFileSync(kubeconfig, "utf8")) as Kubeconfig;
    await this.arm.start();
    this.#registry = new ContainerRegistry(registry, this.arm, () => this.resources());
    await this.#registry.start();
    const backing: Backing = {
      registry: { ...registry, server: this.registry.server },
      kubeconfig: stringify({ clusters: [{ ...clusters[0], name: "aks" }] }),
      ...(postgres === undefined ? {} : { postgres }),
    };
    const child = spawn(
      process.execPath,
      [
        new URL("double.ts", import.meta.url).pathname,
        this.#made,
        this.#failures,
        this.#secrets,
        this.#operations,
        this.#rotated,
      ],
      {
        env: { ...process.env, DOUBLE_BACKING: JSON.stringify(backing) },
        stdio: ["ignore", "pipe", "inherit"],
      },
    );
    this.#process = child;
    for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
      this.#port = line.trim();
      break;
    }
    const status = {
      clientCertificateData: Buffer.from(
        users[0]?.user["client-certificate-data"] as string,
        "base64",
      ).toString(),
      clientKeyData: Buffer.from(users[0]?.user["client-key-data"] as string, "base64").toString(),
    };
    writeFileSync(
      join(this.#directory, "credential.json"),
      JSON.stringify({ apiVersion: "client.authentication.k8s.io/v1", kind: "ExecCredential", status }),
      { mode: 0o600 },
    );
    // Refuses every login but the one that asks nobody.
    command(
      join(this.#directory, "kubelogin"),
      `[ "$*" = "get-token --login azurecli --server-id 6dae42f8-4368-4678-94ff-3960e28e3630" ] || exit 1\ncat ${this.#directory}/credential.json`,
    );
    this.signIn();
  }

  signIn(): void {
    command(
      join(this.#directory, "az"),
      `echo '{"accessToken":"token","expires_on":4102444800,"tokenType":"Bearer"}'`,
    );
  }

  /** Environment of a `pulumi` that is to find this Azure. */
  get env(): Record<string, string> {
    return {
      PATH: `${this.#directory}:${process.env.PATH}`,
      PULUMI_DEBUG_PROVIDERS: `azure-native:${this.#port}`,
      DOCKER_HOST: readDescriptor().docker.host,
      ...this.arm.env,
    };
  }

  /** Signs everybody out. */
  signOut(): void {
    command(join(this.#directory, "az"), "echo 'Please run az login to setup account.' >&2; exit 1");
  }

  /** Inputs of everything that was made, by Azure id. */
  resources(): Record<string, Inputs> {
    return existsSync(this.#made)
      ? (JSON.parse(readFileSync(this.#made, "utf8")) as Record<string, Inputs>)
      : {};
  }

  /** The registry that the stack pushes to and its pods pull from. */
  get registry(): ContainerRegistry {
    if (this.#registry === undefined) throw new Error("Azure has not been started");
    return this.#registry;
  }

  /** Makes creations and updates of a type fail so, or work again. */
  fail(type: string, failure: Failure | undefined): void {
    writeFileSync(this.#failures, JSON.stringify(failure === undefined ? {} : { [type]: failure }));
  }

  /** Gives the cluster's API server another certificate authority. */
  rotateKubeconfig(): void {
    writeFileSync(this.#rotated, "");
  }

  /** Has somebody else be at work on the resources whose ids end so, or on none: `{ "managedClusters/aks": "Upgrading" }`. */
  occupy(work: { readonly [idEnd: string]: string }): void {
    const ids = Object.keys(this.resources());
    const operations = Object.entries(work).map(([end, operation]) => [
      ids.find((id) => id.endsWith(end)) as string,
      operation,
    ]);
    writeFileSync(this.#operations, JSON.stringify(Object.fromEntries(operations)));
  }

  /** Gives secrets of Key Vaults, `vault/secret`, these versions, and takes all others away. */
  setSecrets(versions: { readonly [secret: string]: string }): void {
    writeFileSync(this.#secrets, JSON.stringify(versions));
  }

  stop(): void {
    this.#process?.kill();
    this.#registry?.stop();
    this.arm.stop();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** Gives each load balancer of a namespace an address, as the cloud does; returns how to stop it. */
export function provideLoadBalancers(namespace: string, ip: string): () => void {
  const { core } = clients();
  const timer = setInterval(async () => {
    const { items } = await core.listNamespacedService({ namespace }).catch(() => ({ items: [] }));
    for (const { metadata, spec, status } of items) {
      if (spec?.type !== "LoadBalancer" || status?.loadBalancer?.ingress !== undefined) continue;
      await core
        .replaceNamespacedServiceStatus({
          namespace,
          name: metadata?.name as string,
          body: {
            metadata: metadata as never,
            spec: spec as never,
            status: { loadBalancer: { ingress: [{ ip }] } },
          },
        })
        .catch(() => {});
    }
  }, 500);
  return () => clearInterval(timer);
}
