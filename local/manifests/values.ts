import { readFileSync } from "node:fs";
import { z } from "zod";
import type { Exposure } from "../../infra/config/exposure.ts";
import type { VaultReference } from "../../infra/config/keyVault.ts";
import type { PlatformConfig } from "../../infra/config/platform.ts";
import { referencesOf } from "../../infra/config/secrets.ts";
import type { DeployedValues } from "../../infra/delivery/render.ts";
import { type AddressedCluster, configuredUrl } from "../../infra/delivery/url.ts";
import { Fault } from "../../infra/fault.ts";
import { hasPullSecret, pullSecretName } from "../../infra/platform/pullSecret.ts";
import { addressesIn } from "../../infra/workloads/content.ts";
import { databaseSecretKey, workloadsWithDatabase } from "../../infra/workloads/database.ts";
import type { Application } from "../../infra/workloads/definition.ts";
import { isSealed, type OfflineStack } from "./offlineStack.ts";

const images = z.record(
  z.string(),
  z.strictObject({
    reference: z
      .string()
      .regex(/^[^\s@]+@sha256:[a-f0-9]{64}$/, "must be an image by its digest: name@sha256:…"),
    version: z
      .string()
      .regex(/^[A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?$/, "must be a build number, as a label takes it"),
  }),
);

const rendering = z.object({
  pullSecret: z.string().optional(),
  secretNames: z.record(z.string(), z.string()).default({}),
  databaseImage: z.string().optional(),
  vaultAccess: z
    .record(
      z.string(),
      z.object({ clientId: z.string(), tenantId: z.string(), versions: z.record(z.string(), z.string()) }),
    )
    .default({}),
});

/** The outputs of a deployed stack that rendering takes; a stack has more. */
const outputs = z.object({
  images: images.default({}),
  urls: z.record(z.string(), z.string().regex(/^https?:\/\/\S+$/, "must be a URL")).default({}),
  rendering: rendering.prefault({}),
});

export interface StackOutputs extends z.output<typeof outputs> {
  /** Whether these are a deployment's: what is not among them, it does not have. */
  readonly deployed: boolean;
}

function readJson<T extends z.ZodType>(option: string, file: string, schema: T, fix: string): z.output<T> {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    throw new Fault({
      what: `${option} ${file}`,
      value: code === "ENOENT" ? "absent" : (code ?? "not JSON"),
      rule: "must be a readable JSON file",
      fix,
    });
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
  throw new Fault({
    what: `${option} ${file}`,
    rule: `must be what the stack outputs: ${problems.join("; ")}`,
    fix,
  });
}

export interface ValueFiles {
  /** JSON of all of a stack's outputs. */
  readonly values?: string;
  /** JSON of the output `images`, over that. */
  readonly images?: string;
}

/**
 * What is known of a deployment from files.
 *
 * @throws Fault when one is not what `pulumi stack output --json` prints
 */
export function readOutputs(files: ValueFiles, stack: string, application: Application): StackOutputs {
  const get = `pulumi stack output --stack ${stack} --json`;
  const given =
    files.values === undefined
      ? { ...outputs.parse({}), deployed: false }
      : { ...readJson("--values", files.values, outputs, `write it by: ${get}`), deployed: true };
  if (files.images === undefined) return given;
  const own = readJson("--images", files.images, images, `write it by: ${get} images`);
  const unknown = Object.keys(own).find((name) => !(name in application));
  if (unknown !== undefined)
    throw new Fault({
      what: `--images ${files.images}`,
      value: unknown,
      rule: "is not a workload of this application",
      fix: `the workloads are: ${Object.keys(application).join(", ")}`,
    });
  return { ...given, images: { ...given.images, ...own } };
}

const nobody = "00000000-0000-0000-0000-000000000000";

/** A host and a digest that no registry and no address ever has. */
const placeholders = {
  image: (project: string, name: string) => ({
    reference: `registry.invalid/${project}/${name}@sha256:${"0".repeat(64)}`,
    version: "unresolved",
  }),
  address: (name: string) => `http://${name}.invalid`,
  secretName: (name: string) => `${name}-secret-${"0".repeat(10)}`,
  vaultAccess: (references: readonly VaultReference[]) => ({
    clientId: nobody,
    tenantId: nobody,
    versions: Object.fromEntries(references.map(({ vault, name }) => [`${vault}/${name}`, "unresolved"])),
  }),
};

export interface Resolved {
  readonly values: DeployedValues;
  /** What stands as a placeholder, for people: `image of api`. */
  readonly unresolved: readonly string[];
}

/** Names of the workloads whose address a configuration takes. */
function addressed(application: Application): ReadonlySet<string> {
  return new Set(
    Object.values(application).flatMap(({ env = {}, config }) =>
      [...Object.values(env), ...Object.values(config?.files ?? {})].flatMap(addressesIn),
    ),
  );
}

/** What a platform's configuration tells of the addresses of its cluster. */
function addressedCluster(platform: PlatformConfig): AddressedCluster {
  switch (platform.kind) {
    case "local":
      return { nodeAddress: platform.address };
    case "azure":
      return { location: platform.location };
    case "shared":
      return {};
  }
}

/** Completes what is known of a deployment by what the stack's configuration tells, and the rest by placeholders. */
export function resolveValues(
  application: Application,
  { project, config }: OfflineStack,
  known: StackOutputs,
): Resolved {
  const unresolved: string[] = [];
  const missing = <T>(what: string, placeholder: T): T => {
    unresolved.push(what);
    return placeholder;
  };
  const names = Object.keys(application);
  const cluster = addressedCluster(config.platform);
  const wanted = addressed(application);
  const urlOf = (name: string) =>
    configuredUrl(
      { name, namespace: config.namespace, port: Object.values(application[name]?.ports ?? {})[0] ?? 80 },
      config.exposure[name] as Exposure,
      cluster,
    ) ??
    known.urls[name] ??
    missing(`address of ${name}`, placeholders.address(name));
  const images = Object.fromEntries(
    names.map((name) => [
      name,
      known.images[name] ?? missing(`image of ${name}`, placeholders.image(project, name)),
    ]),
  );
  const addresses = Object.fromEntries(
    names.filter((name) => wanted.has(name)).map((name) => [name, urlOf(name)]),
  );
  const named = known.rendering;
  const sealed = [
    ...names.filter((name) => Object.values(config.secrets[name] ?? {}).some(isSealed)),
    ...(config.database.kind === "external" && isSealed(config.database.url)
      ? workloadsWithDatabase(application).map(databaseSecretKey)
      : []),
  ];
  const secretNames = Object.fromEntries(
    sealed.map((name) => [
      name,
      named.secretNames[name] ?? missing(`name of ${name}'s Secret`, placeholders.secretName(name)),
    ]),
  );
  const { databaseImage } = named;
  const vaultAccess = Object.fromEntries(
    [...Map.groupBy(referencesOf(config), ({ workload }) => workload)].map(([name, all]) => {
      const references = all.filter(({ certificate }) => !certificate).map(({ to }) => to);
      const access = named.vaultAccess[name];
      const complete =
        access !== undefined &&
        references.every(({ vault, name: secret }) => `${vault}/${secret}` in access.versions);
      return [
        name,
        complete ? access : missing(`Key Vault access of ${name}`, placeholders.vaultAccess(references)),
      ];
    }),
  );
  const pulls =
    hasPullSecret(config.platform) ??
    (named.pullSecret !== undefined ||
      (known.deployed ? false : missing("pull secret of the platform", true)));
  return {
    values: {
      images,
      addresses,
      secretNames,
      vaultAccess,
      ...(databaseImage === undefined ? {} : { databaseImage }),
      ...(pulls ? { pullSecret: pullSecretName } : {}),
    },
    unresolved,
  };
}
