import * as dbforpostgresql from "@pulumi/azure-native/dbforpostgresql/index.js";
import * as privatedns from "@pulumi/azure-native/privatedns/index.js";
import * as pulumi from "@pulumi/pulumi";
import type { AzureDatabase } from "../config/azureDatabase.ts";
import { uniqueEnd } from "../platform/azure/uniqueName.ts";
import type { ServerSite } from "../platform/platform.ts";
import { serverName } from "../workloads/database.ts";
import { outboundAddress, rangeOf } from "./addressRange.ts";
import { credentials, keptKey } from "./credentials.ts";
import type { ProvidedArgs } from "./external.ts";
import { serverReplaceOnChanges, types } from "./fixed.ts";
import type { Databases } from "./index.ts";
import { databaseKey, derivePassword } from "./key.ts";

/** Neither of the names that Azure keeps for itself. */
const administrator = "slipway";

const tiers = { B: "Burstable", D: "GeneralPurpose", E: "MemoryOptimized" } as const;
const modes = { none: "Disabled", sameZone: "SameZone", zoneRedundant: "ZoneRedundant" } as const;

/** The image of psql brings no certificates of authorities. It encrypts, and never sends the password itself. */
const connectionOptions = { PGSSLMODE: "require", PGREQUIREAUTH: "scram-sha-256,md5" };

/** Azure asks for three kinds of characters; a derived password has them but for bad luck. */
function administratorPassword(key: string, generation: number): string {
  return `aA1${derivePassword(key, `admin_${generation}`)}`;
}

/** A flexible server of the stack's own, and for each workload a user of the current generation with its URL. */
export async function azureDatabase(config: AzureDatabase, args: ProvidedArgs): Promise<Databases> {
  const { platform, stack } = args;
  const { serverSite: site } = platform;
  if (site === undefined) throw new Error("a server on Azure without the platform azure");
  const key = await databaseKey(platform.cluster, stack.config.namespace);
  const server = new FlexibleServer(
    serverName,
    { ...args, config, site, key },
    { provider: platform.cluster.provider },
  );
  return { ready: server.ready };
}

interface FlexibleServerArgs extends ProvidedArgs {
  readonly config: AzureDatabase;
  readonly site: ServerSite;
  /** What the passwords are derived from, unless Pulumi's state knows another one. */
  readonly key: string;
}

/** The server: key and credentials, who can reach it, and that it takes no connection without TLS. */
class FlexibleServer extends pulumi.ComponentResource {
  readonly ready: readonly pulumi.Resource[];

  readonly #name: string;
  readonly #args: FlexibleServerArgs;
  readonly #serverName: pulumi.Output<string>;

  constructor(name: string, args: FlexibleServerArgs, opts?: pulumi.ComponentResourceOptions) {
    // The same Secrets as those of a server in the cluster: a stack that changes from one to the other keeps them.
    super(types.azure, name, {}, { ...opts, aliases: [{ type: types.inCluster }] });
    this.#name = name;
    this.#args = args;
    const { workloads, stack, namespace, config, site } = args;
    const { resourceGroup, location, tags, baseName } = site;
    // Known before the server is there. Names are global, of at most 63 characters.
    this.#serverName = resourceGroup.id.apply(
      (id) =>
        `psql-${baseName
          .toLowerCase()
          .replace(/[^a-z0-9-]/g, "-")
          .slice(0, 46)}-${uniqueEnd(id)}`,
    );
    const secrets = { stack, namespace, parent: this };
    const password = (known: string) => administratorPassword(known, config.credentials);
    const key = keptKey(name, args.key, false, secrets);
    const zone = config.access.kind === "private" ? this.#privateZone() : undefined;
    const server = new dbforpostgresql.Server(
      `${name}-server`,
      {
        resourceGroupName: resourceGroup.name,
        location,
        tags,
        serverName: this.#serverName,
        version: config.version,
        sku: { name: config.sku, tier: tiers[config.sku.charAt("Standard_".length) as keyof typeof tiers] },
        // Storage that grew by itself would be what the configuration does not say.
        storage: { storageSizeGB: config.storageGb, autoGrow: "Disabled" },
        backup: {
          backupRetentionDays: config.backupRetentionDays,
          geoRedundantBackup: config.geoRedundantBackup ? "Enabled" : "Disabled",
        },
        highAvailability: { mode: modes[config.highAvailability] },
        authConfig: { passwordAuth: "Enabled", activeDirectoryAuth: "Disabled" },
        administratorLogin: administrator,
        administratorLoginPassword: key.apply(password),
        network:
          zone === undefined
            ? { publicNetworkAccess: "Enabled" }
            : {
                publicNetworkAccess: "Disabled",
                delegatedSubnetResourceId: site.network?.databaseSubnetId as pulumi.Output<string>,
                privateDnsZoneArmResourceId: zone.id,
              },
      },
      {
        parent: this,
        dependsOn: [resourceGroup.resource, ...(zone === undefined ? [] : [zone.link])],
        protect: config.deletionProtection,
        // A failover changes the places of server and standby.
        ignoreChanges: ["availabilityZone", "highAvailability.standbyAvailabilityZone"],
        replaceOnChanges: serverReplaceOnChanges,
        deleteBeforeReplace: true,
      },
    );
    const encrypted = new dbforpostgresql.Configuration(
      `${name}-require-tls`,
      {
        resourceGroupName: resourceGroup.name,
        serverName: this.#serverName,
        configurationName: "require_secure_transport",
        source: "user-override",
        value: "on",
      },
      { parent: this, dependsOn: [server] },
    );
    const rules = config.access.kind === "firewall" ? this.#firewall(config.access, encrypted) : [];
    const [admin, ...own] = credentials(name, {
      ...secrets,
      key,
      host: server.fullyQualifiedDomainName,
      admin: { user: administrator, password, options: connectionOptions },
      sslmode: "verify-full",
      config,
      workloads,
    });
    this.ready = [encrypted, ...rules, admin as pulumi.Resource, ...own];
    this.registerOutputs({ server: this.#serverName });
  }

  /** The zone in which the network finds the server's address. */
  #privateZone(): { readonly id: pulumi.Output<string>; readonly link: pulumi.Resource } {
    const { resourceGroup, tags, network } = this.#args.site;
    const privateZoneName = pulumi.interpolate`${this.#serverName}.private.postgres.database.azure.com`;
    const common = { resourceGroupName: resourceGroup.name, privateZoneName, location: "Global", tags };
    const zone = new privatedns.PrivateZone(`${this.#name}-zone`, common, {
      parent: this,
      dependsOn: [resourceGroup.resource],
    });
    const link = new privatedns.VirtualNetworkLink(
      `${this.#name}-zone-link`,
      {
        ...common,
        virtualNetworkLinkName: "cluster",
        registrationEnabled: false,
        virtualNetwork: { id: network?.id as pulumi.Output<string> },
      },
      { parent: this, dependsOn: [zone] },
    );
    return { id: zone.id, link };
  }

  /** Lets in the cluster's pods, and who else is named. One after the other: the server takes one change at a time. */
  #firewall(
    { allowedIpRanges }: Extract<AzureDatabase["access"], { kind: "firewall" }>,
    after: pulumi.Resource,
  ): pulumi.Resource[] {
    const { resourceGroup, outboundAddressId } = this.#args.site;
    const cluster = outboundAddress(outboundAddressId);
    const ranges = [
      { rule: "cluster", start: cluster, end: cluster },
      ...allowedIpRanges.map((range) => ({
        rule: range.replace(/[./]/g, "-"),
        ...rangeOf(range),
      })),
    ];
    const rules: pulumi.Resource[] = [];
    for (const { rule, start, end } of ranges) {
      rules.push(
        new dbforpostgresql.FirewallRule(
          `${this.#name}-allow-${rule}`,
          {
            resourceGroupName: resourceGroup.name,
            serverName: this.#serverName,
            firewallRuleName: `allow-${rule}`,
            startIpAddress: start,
            endIpAddress: end,
          },
          { parent: this, dependsOn: [rules.at(-1) ?? after] },
        ),
      );
    }
    return rules;
  }
}
