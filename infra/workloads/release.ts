import type * as pulumi from "@pulumi/pulumi";
import type { Exposure } from "../config/exposure.ts";
import { type Secrets, vaultReferences } from "../config/secrets.ts";
import type { StackConfig } from "../config/stack.ts";
import { type Strategy, strategy } from "../config/strategy.ts";
import type { WorkloadOverride } from "../config/workloads.ts";
import { type Addresses, contentHash, contentOf, secretHash } from "./content.ts";
import { type DatabaseAccess, databaseAccess, databaseSecretKey } from "./database.ts";
import type { Application, Workload } from "./definition.ts";
import { lift } from "./lift.ts";

/** An image to run. */
export interface RunnableImage {
  /** `registry/repository@sha256:…`. */
  readonly reference: pulumi.Input<string>;
  /** Build number, a valid label value. */
  readonly version: pulumi.Input<string>;
}

/** The identity by which a workload reads its secrets in Key Vaults. */
export interface VaultAccess {
  readonly clientId: pulumi.Input<string>;
  readonly tenantId: pulumi.Input<string>;
  /** Current version of each secret, by `vault/name`: a new one rolls the pods. */
  readonly versions: { readonly [secret: string]: pulumi.Input<string> };
}

/** What a workload's pods mount of a Key Vault. */
export interface VaultMount extends Omit<VaultAccess, "versions"> {
  /** Name of the SecretProviderClass, and of the Secret that the driver makes of it, by what they hold. */
  readonly name: pulumi.Input<string>;
  readonly vault: string;
  /** Names in the vault by environment variable. */
  readonly env: { readonly [variable: string]: string };
  /** Name in the vault of the certificate for the workload's host name. */
  readonly certificate: string | undefined;
}

/** What all workloads of a stack share. */
export interface Surroundings {
  /** Name of the application: the label `app.kubernetes.io/part-of`. */
  readonly project: string;
  /** Name of the stack: the label `app.kubernetes.io/instance`. */
  readonly stack: string;
  readonly namespace: pulumi.Input<string>;
  /** Name of the registry pull secret; absent where the nodes pull by an identity of their own. */
  readonly pullSecret?: pulumi.Input<string>;
  readonly addresses: Addresses;
  /** The platform's own image of PostgreSQL, where it has one. */
  readonly databaseImage?: pulumi.Input<string>;
  /** By workload; absent for those that refer to no Key Vault. */
  readonly vaultAccess?: { readonly [workload: string]: VaultAccess };
  /** Names of the workloads' Secrets (`secretNames`): without them, they are found from the values. */
  readonly secretNames?: { readonly [workload: string]: string };
}

/** Quantities by resource name: `{ cpu: "50m", memory: "64Mi" }`. */
type Amounts = { readonly [resource: string]: string };

/** A workload of one stack with all choices made: what the builders of the single kinds take. */
export interface Release
  extends Omit<Surroundings, "addresses" | "vaultAccess" | "secretNames" | "databaseImage"> {
  readonly name: string;
  readonly workload: Workload;
  readonly image: RunnableImage;
  readonly replicas: number;
  readonly autoscaling: NonNullable<WorkloadOverride["autoscaling"]> | undefined;
  readonly rolloutDeadlineSeconds: number;
  readonly strategy: Strategy;
  readonly resources: { readonly requests: Amounts; readonly limits: Amounts };
  readonly exposure: Exposure;
  readonly env: { readonly [name: string]: pulumi.Input<string> };
  readonly secretEnv: { readonly [name: string]: string };
  /** Name of the Secret that holds them, by its content. Absent when there are none. */
  readonly secretName: string | undefined;
  /** Key Vaults that the workload's secret environment variables and its certificate are in. */
  readonly vaults: readonly VaultMount[];
  readonly database: DatabaseAccess | undefined;
  readonly configFiles: { readonly [file: string]: pulumi.Input<string> };
  /** Workloads of the application that connect to this one. */
  readonly clients: readonly string[];
  /** Namespace of the Prometheus that scrapes it, where there is one. */
  readonly scrapedFrom: string | undefined;
  /** URL of the collector that it sends its traces to, where there is one. */
  readonly traces: string | undefined;
  /** Ports of the workloads that this one connects to. */
  readonly servers: { readonly [name: string]: readonly number[] };
}

const clients = new WeakMap<Application, ReadonlyMap<string, readonly string[]>>();

/** Who connects to each workload. Found once for an application, so that a thousand releases take no million looks. */
function clientsIn(application: Application): ReadonlyMap<string, readonly string[]> {
  const known = clients.get(application);
  if (known !== undefined) return known;
  const found = new Map<string, string[]>();
  for (const [client, { connectsTo = [] }] of Object.entries(application))
    for (const server of new Set(connectsTo)) {
      const others = found.get(server);
      if (others === undefined) found.set(server, [client]);
      else others.push(client);
    }
  clients.set(application, found);
  return found;
}

/** What a workload mounts, by vault: in the order of its variables, the vault of its certificate last. */
function vaultMounts(
  workload: string,
  variables: readonly string[],
  secrets: Secrets,
  exposure: Exposure,
  access: VaultAccess | undefined,
): VaultMount[] {
  const found = vaultReferences(secrets);
  const references = variables.flatMap((variable) => {
    const reference = found[variable];
    return reference === undefined ? [] : [[variable, reference] as const];
  });
  const certificate = exposure.type === "Ingress" ? exposure.tls.keyVault : undefined;
  const vaults = new Set(
    [...references.map(([, to]) => to), ...(certificate ? [certificate] : [])].map((to) => to.vault),
  );
  return [...vaults].map((vault) => {
    if (access === undefined) throw new Error(`${workload} has no access to its Key Vault`);
    const { clientId, tenantId, versions } = access;
    const own = references.filter(([, to]) => to.vault === vault);
    const certificateName = certificate?.vault === vault ? certificate.name : undefined;
    return {
      name: lift(versions, (known) => {
        const content = own.map(([variable, { name }]) => [variable, `${name}/${known[`${vault}/${name}`]}`]);
        const all = Object.fromEntries([...content, ["", `${vault}/${certificateName ?? ""}`]]);
        return `${workload}-vault-${contentHash(all)}`;
      }),
      vault,
      clientId,
      tenantId,
      env: Object.fromEntries(own.map(([variable, { name }]) => [variable, name])),
      certificate: certificateName,
    };
  });
}

/** Secret environment variables that the stack's file itself has, in the definition's order. */
function secretEnvOf(variables: readonly string[], secrets: Secrets): { readonly [name: string]: string } {
  return Object.fromEntries(
    variables.flatMap((variable) => {
      const value = secrets[variable];
      return typeof value === "string" ? [[variable, value]] : [];
    }),
  );
}

function secretNameOf(
  { project, stack }: Pick<Surroundings, "project" | "stack">,
  workload: string,
  secretEnv: { readonly [name: string]: string },
): string {
  return `${workload}-secret-${secretHash(`${project}/${stack}/${workload}`, secretEnv)}`;
}

/** Names of the workloads' Secrets, by content; of those that have one. */
export function secretNames(
  application: Application,
  { secrets, database: databaseConfig }: Pick<StackConfig, "secrets" | "database">,
  owner: Pick<Surroundings, "project" | "stack">,
): { readonly [workload: string]: string } {
  return Object.fromEntries(
    Object.entries(application).flatMap(([name, { secretEnv = [], database }]) => {
      const values = secretEnvOf(secretEnv, secrets[name] ?? {});
      return [
        ...(Object.keys(values).length === 0 ? [] : [[name, secretNameOf(owner, name, values)]]),
        ...(database === undefined
          ? []
          : [[databaseSecretKey(name), databaseAccess(name, databaseConfig, owner).secretName]]),
      ];
    }),
  );
}

/** Azure's managed Prometheus scrapes from the cluster's own namespace. */
function scrapingNamespace({ prometheus }: StackConfig["observability"]): string | undefined {
  return prometheus?.kind === "azure" ? "kube-system" : prometheus?.namespace;
}

/** How a stack replaces a workload's pods: as its own file says, else as the definition does. */
export function strategyOf(
  application: Application,
  name: string,
  { workloads }: Pick<StackConfig, "workloads">,
): Strategy {
  const chosen = (workloads[name] as WorkloadOverride | undefined)?.strategy;
  return chosen ?? strategy.parse(application[name]?.strategy ?? { kind: "rolling" });
}

/** Whether a workload of the stack needs Argo Rollouts. */
export function isProgressive(application: Application, config: Pick<StackConfig, "workloads">): boolean {
  return Object.keys(application).some((name) => strategyOf(application, name, config).kind !== "rolling");
}

/** Makes the stack's choices for one workload of an application. Both have been checked (`checkApplication`). */
export function releaseOf(
  application: Application,
  name: string,
  config: StackConfig,
  image: RunnableImage,
  { addresses, vaultAccess, secretNames, databaseImage, ...shared }: Surroundings,
): Release {
  const workload = application[name] as Workload;
  const override = config.workloads[name] as WorkloadOverride;
  const secrets = config.secrets[name] ?? {};
  const variables = workload.secretEnv ?? [];
  const secretEnv = secretEnvOf(variables, secrets);
  // By name after the definition's own: the stack's file may list them in any order, and Pulumi sorts them.
  const env = {
    ...workload.env,
    ...Object.fromEntries(Object.entries(override.env).sort(([a], [b]) => (a < b ? -1 : 1))),
  };
  return {
    ...shared,
    name,
    workload,
    image,
    replicas: override.replicas ?? workload.replicas ?? 2,
    autoscaling: override.autoscaling,
    rolloutDeadlineSeconds: override.rolloutDeadlineSeconds,
    strategy: strategyOf(application, name, config),
    resources: {
      requests: { ...workload.resources.requests, ...override.resources?.requests } as Amounts,
      limits: { ...workload.resources.limits, ...override.resources?.limits } as Amounts,
    },
    exposure: config.exposure[name] as Exposure,
    env: Object.fromEntries(Object.entries(env).map(([key, value]) => [key, contentOf(value, addresses)])),
    secretEnv,
    secretName:
      Object.keys(secretEnv).length === 0
        ? undefined
        : (secretNames?.[name] ?? secretNameOf(shared, name, secretEnv)),
    vaults: vaultMounts(name, variables, secrets, config.exposure[name] as Exposure, vaultAccess?.[name]),
    database:
      workload.database === undefined
        ? undefined
        : databaseAccess(name, config.database, { ...shared, image: databaseImage, secretNames }),
    configFiles: Object.fromEntries(
      Object.entries(workload.config?.files ?? {}).map(([file, value]) => [
        file,
        contentOf(value, addresses),
      ]),
    ),
    clients: clientsIn(application).get(name) ?? [],
    scrapedFrom: workload.metrics === undefined ? undefined : scrapingNamespace(config.observability),
    traces: config.observability.traces?.endpoint,
    servers: Object.fromEntries(
      (workload.connectsTo ?? []).map((server) => [server, Object.values(application[server]?.ports ?? {})]),
    ),
  };
}
