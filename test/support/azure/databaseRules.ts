import { type Inputs, inGroup, location, mustBe, mustBeId, type ResourceRules } from "./armRules.ts";
import type { Backing } from "./rules.ts";

const serverId = inGroup("Microsoft.DBforPostgreSQL/flexibleServers", "serverName");

/** A server takes one operation at a time, on whatever is part of it. */
const exclusive = {
  id: serverId,
  refusal: () =>
    'Status=409 Code="ServerIsBusy" Message="Cannot complete operation while server is busy processing another operation. Try again later."',
};

const tiers: Record<string, string> = { B: "Burstable", D: "GeneralPurpose", E: "MemoryOptimized" };
const address = /^(\d{1,3}\.){3}\d{1,3}$/;

function checkServer(inputs: Inputs) {
  const { sku, storage, version, administratorLogin, administratorLoginPassword, network } = inputs;
  const kinds = [/[a-z]/, /[A-Z]/, /[0-9]/, /[^A-Za-z0-9]/].filter((kind) =>
    kind.test(administratorLoginPassword),
  );
  return [
    ...location(inputs),
    ...mustBe(["14", "15", "16", "17", "18"].includes(version), "version", "InvalidParameterValue: version"),
    ...mustBe(
      tiers[/^Standard_([BDE])/.exec(sku.name)?.[1] ?? ""] === sku.tier,
      "sku",
      `InvalidEditionSkuCombination: ${sku.tier} has no ${sku.name}`,
    ),
    ...mustBe(storage.storageSizeGB >= 32, "storage.storageSizeGB", "InvalidParameterValue: 32 or more"),
    ...mustBe(
      !["azure_superuser", "azure_pg_admin", "admin", "administrator", "root", "guest", "public"].includes(
        administratorLogin,
      ) && !/^pg_/.test(administratorLogin),
      "administratorLogin",
      "ReservedLoginName",
    ),
    ...mustBe(
      kinds.length >= 3 && administratorLoginPassword.length >= 8 && administratorLoginPassword.length <= 128,
      "administratorLoginPassword",
      "PasswordNotComplex",
    ),
    ...mustBe(
      sku.tier !== "Burstable" || (inputs.highAvailability?.mode ?? "Disabled") === "Disabled",
      "highAvailability.mode",
      "HANotSupportedForBurstableSkuType",
    ),
    ...(network?.delegatedSubnetResourceId === undefined
      ? []
      : [
          ...mustBeId(
            "network.delegatedSubnetResourceId",
            network.delegatedSubnetResourceId,
            "Microsoft.Network/virtualNetworks",
          ),
          ...mustBe(
            network.publicNetworkAccess !== "Enabled",
            "network.publicNetworkAccess",
            "InvalidParameterValue: a server in a network has no public access",
          ),
          ...mustBe(
            /\/privateDnsZones\/[^/]+\.postgres\.database\.azure\.com$/.test(
              network.privateDnsZoneArmResourceId,
            ),
            "network.privateDnsZoneArmResourceId",
            "InvalidPrivateDnsZoneName: must end with .postgres.database.azure.com",
          ),
        ]),
  ];
}

/** Azure Database for PostgreSQL, and the private networks that it may be in. @param postgres what a server really is */
export function databaseRules({ postgres }: Backing): Readonly<Record<string, ResourceRules>> {
  return {
    "azure-native:dbforpostgresql:Server": {
      required: [
        "resourceGroupName",
        "location",
        "version",
        "sku",
        "storage",
        "administratorLogin",
        "administratorLoginPassword",
      ],
      immutable: ["resourceGroupName", "serverName", "location", "administratorLogin"],
      writeOnly: ["administratorLoginPassword"],
      frozen: [
        "network.delegatedSubnetResourceId",
        "network.publicNetworkAccess",
        "backup.geoRedundantBackup",
      ],
      name: {
        property: "serverName",
        pattern: /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/,
        rule: "3-63 lower-case letters, digits and dashes",
      },
      id: serverId,
      exclusive,
      check: checkServer,
      transition: (before, after) =>
        before.storage.storageSizeGB > after.storage.storageSizeGB
          ? "StorageSizeReductionNotSupported: storage cannot be made smaller"
          : Number(before.version) > Number(after.version)
            ? "InvalidMajorVersionUpgrade: a version cannot be taken back"
            : undefined,
      outputs: ({ serverName }) => ({
        name: serverName,
        fullyQualifiedDomainName: postgres?.host ?? `${serverName}.postgres.database.azure.com`,
      }),
    },
    "azure-native:dbforpostgresql:Configuration": {
      required: ["resourceGroupName", "serverName", "value", "source"],
      immutable: ["resourceGroupName", "serverName", "configurationName"],
      name: { property: "configurationName", pattern: /^[a-z_.]+$/, rule: "a parameter of PostgreSQL" },
      parent: serverId,
      id: (inputs) => `${serverId(inputs)}/configurations/${inputs.configurationName}`,
      exclusive,
    },
    "azure-native:dbforpostgresql:FirewallRule": {
      required: ["resourceGroupName", "serverName", "startIpAddress", "endIpAddress"],
      immutable: ["resourceGroupName", "serverName", "firewallRuleName"],
      name: {
        property: "firewallRuleName",
        pattern: /^[a-zA-Z0-9-_]{1,128}$/,
        rule: "1-128 letters, digits, dashes and underscores",
      },
      parent: serverId,
      id: (inputs) => `${serverId(inputs)}/firewallRules/${inputs.firewallRuleName}`,
      exclusive,
      check: ({ startIpAddress, endIpAddress }) =>
        mustBe(
          address.test(startIpAddress) && address.test(endIpAddress),
          "startIpAddress",
          "InvalidParameterValue: not an IPv4 address",
        ),
    },
    "azure-native:network:VirtualNetwork": {
      required: ["resourceGroupName", "location", "addressSpace"],
      immutable: ["resourceGroupName", "virtualNetworkName", "location"],
      // In use as they are here.
      frozen: ["addressSpace", "subnets"],
      name: {
        property: "virtualNetworkName",
        pattern: /^[a-zA-Z0-9][\w.-]{0,62}\w$/,
        rule: "2-64 letters, digits, underscores, dots and dashes",
      },
      id: inGroup("Microsoft.Network/virtualNetworks", "virtualNetworkName"),
      check: location,
    },
    "azure-native:privatedns:PrivateZone": {
      required: ["resourceGroupName", "location"],
      immutable: ["resourceGroupName", "privateZoneName", "location"],
      name: { property: "privateZoneName", pattern: /^[a-z0-9.-]{1,253}$/, rule: "a domain" },
      id: inGroup("Microsoft.Network/privateDnsZones", "privateZoneName"),
      check: (inputs) => mustBe(inputs.location === "Global", "location", "InvalidLocation: only Global"),
    },
    "azure-native:privatedns:VirtualNetworkLink": {
      required: ["resourceGroupName", "privateZoneName", "location", "virtualNetwork"],
      immutable: ["resourceGroupName", "privateZoneName", "virtualNetworkLinkName", "virtualNetwork.id"],
      name: { property: "virtualNetworkLinkName", pattern: /^[\w.-]{1,80}$/, rule: "1-80 characters" },
      parent: inGroup("Microsoft.Network/privateDnsZones", "privateZoneName"),
      id: (inputs) =>
        `${inGroup("Microsoft.Network/privateDnsZones", "privateZoneName")(inputs)}/virtualNetworkLinks/${inputs.virtualNetworkLinkName}`,
      check: ({ virtualNetwork }) =>
        mustBeId("virtualNetwork.id", virtualNetwork.id, "Microsoft.Network/virtualNetworks"),
    },
  };
}
