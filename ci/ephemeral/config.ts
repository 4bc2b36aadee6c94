import type { Release } from "../../infra/config/images.ts";
import { type EphemeralConfig, ephemeral } from "../../infra/config/tenancy.ts";
import { Fault } from "../../infra/fault.ts";
import type { StackFile } from "../../local/deliver/project.ts";
import { withRelease } from "../deploy.ts";
import { type Values, valuesOf, withValues } from "../stackFile.ts";

/** Keys that an ephemeral stack takes from the stack whose platform it runs on, as they are. */
const inherited = ["deployers", "secrets"];

/** Each pod once: what is tried out is the change, not the load. */
function single(workloads: unknown): Values {
  return Object.fromEntries(
    Object.entries((workloads ?? {}) as Record<string, Values>).map(([name, override]) => {
      const { replicas: _, autoscaling: __, ...rest } = override;
      return [name, { ...rest, replicas: 1 }];
    }),
  );
}

/**
 * Exposed as in the other stack, where no two stacks meet: at a port that the cluster picks, an address without a name,
 * a host name that begins with the stack's, for which `*.example.com` needs its DNS record and its certificate.
 */
function elsewhere(exposure: unknown, stack: string): Values {
  return Object.fromEntries(
    Object.entries((exposure ?? {}) as Record<string, Values>).map(([name, own]) => {
      const { nodePort: _, dnsLabel: __, ...rest } = own;
      return [name, typeof rest.host === "string" ? { ...rest, host: `${stack}-${rest.host}` } : rest];
    }),
  );
}

/** What the stack says of the ephemeral ones on its platform. @throws Fault with key and rule */
export function ephemeralConfig(base: StackFile): EphemeralConfig {
  const parsed = ephemeral.safeParse(valuesOf(base).ephemeral ?? {});
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new Fault({
    what: `slipway:ephemeral.${issue?.path.join(".")}`,
    rule: issue?.message ?? "is wrong",
    fix: "correct it in the stack's file",
  });
}

/** A database of its own, gone with the stack: data that others rely on is not for trying things out. */
function ownDatabase(database: unknown): Values {
  const { kind, credentials: _, keepVolume: __, ...rest } = (database ?? {}) as Values;
  return { ...(kind === "inCluster" ? rest : {}), kind: "inCluster", keepVolume: false };
}

/** The other stack's vaults, none of them to be made again. A new one of its is in its own resource group. */
function existing(keyVaults: unknown, resourceGroup: string | undefined): Values {
  const vaults = Object.entries((keyVaults ?? {}) as Record<string, Values>).map(([name, vault]) => [
    name,
    { kind: "existing", resourceGroup: vault.resourceGroup ?? resourceGroup },
  ]);
  return vaults.length === 0 ? {} : { keyVaults: Object.fromEntries(vaults) };
}

export interface EphemeralWish {
  /** Resource group of the other stack, where that is on Azure. */
  readonly resourceGroup?: string | undefined;
  /** Name of the stack. */
  readonly stack: string;
  readonly release: Release;
  /** ISO 8601 in UTC. */
  readonly expires: string;
  /** Names of the application's workloads. */
  readonly workloads: readonly string[];
}

/**
 * The configuration of an ephemeral stack: another stack's platform, a build, a namespace of its own with a quota.
 *
 * @param baseName the other stack, as organization/project/stack
 */
export function ephemeralFile(
  base: StackFile,
  baseName: string,
  { stack, release, expires, workloads, resourceGroup }: EphemeralWish,
): StackFile {
  const { config: _, ...encryption } = base;
  const values = valuesOf(base);
  const { keyVaults } = (values.platform ?? {}) as Values;
  const kept = Object.fromEntries(inherited.filter((key) => key in values).map((key) => [key, values[key]]));
  const overrides = {
    ...Object.fromEntries(workloads.map((name) => [name, {}])),
    ...(values.workloads as Values | undefined),
  };
  const own = {
    ...kept,
    platform: { kind: "shared", stack: baseName, ...existing(keyVaults, resourceGroup) },
    quota: ephemeralConfig(base).quota,
    database: ownDatabase(values.database),
    expires,
    workloads: single(overrides),
    exposure: elsewhere(values.exposure, stack),
  };
  return withRelease(withValues(encryption, own), release);
}
