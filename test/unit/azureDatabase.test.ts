import "../support/offline.ts";
import { describe, expect, test } from "vitest";
import { InputError } from "../../infra/config/error.ts";
import { parseStackConfig } from "../../infra/config/parse.ts";
import { rangeOf } from "../../infra/database/addressRange.ts";
import { databaseChoices } from "../../infra/database/fixed.ts";
import { replacements } from "../../infra/platform/replacement.ts";
import { stackConfig } from "../../local/deliver/project.ts";
import { runProgram } from "../support/program.ts";

type Given = { readonly [key: string]: unknown };

const azure = {
  kind: "azure",
  location: "westeurope",
  network: {},
  cluster: { kubernetesVersion: "1.34" },
};

function parse(database: Given, platform: Given = azure) {
  return parseStackConfig(
    { platform, database: { kind: "azure", ...database } },
    { stack: "dev", workloads: ["api"] },
  );
}

function messageOf(database: Given, platform?: Given): string {
  try {
    parse(database, platform);
  } catch (error) {
    expect(error).toBeInstanceOf(InputError);
    return (error as InputError).message;
  }
  return "accepted";
}

describe("a server that Azure would refuse is refused before anything is created, with its key and the rule", () => {
  const size = "must be a size of Azure Database for PostgreSQL, such as Standard_B1ms or Standard_D2ds_v5.";
  test.each<[rule: string, database: Given, message: string]>([
    [
      "a version that Azure does not offer",
      { version: "12" },
      'slipway:database.version = "12": must be "14" or "15" or "16" or "17" or "18".',
    ],
    [
      "a version that is not quoted",
      { version: 17 },
      'slipway:database.version = 17: must be "14" or "15" or "16" or "17" or "18".',
    ],
    ["a size of a VM", { sku: "Standard_B2s_v2" }, `slipway:database.sku = "Standard_B2s_v2": ${size}`],
    [
      "a size of no such number of cores",
      { sku: "Standard_D3ds_v5" },
      `slipway:database.sku = "Standard_D3ds_v5": ${size}`,
    ],
    ["a tier", { sku: "GeneralPurpose" }, `slipway:database.sku = "GeneralPurpose": ${size}`],
    [
      "storage between two sizes",
      { storageGb: 100 },
      "slipway:database.storageGb = 100: must be 32 or 64 or 128 or 256 or 512 or 1024 or 2048 or 4096 or 8192 or 16384.",
    ],
    [
      "backups for a day",
      { backupRetentionDays: 1 },
      "slipway:database.backupRetentionDays = 1: must be from 7 to 35.",
    ],
    [
      "a standby of a burstable size",
      { sku: "Standard_B2s", highAvailability: "sameZone" },
      'slipway:database.highAvailability = "sameZone": is not offered for Standard_B2s, a burstable size. Use none, or a size of the D or E series.',
    ],
    [
      "no range of addresses",
      { access: { kind: "firewall", allowedIpRanges: ["office"] } },
      'slipway:database.access.allowedIpRanges[0] = "office": must be an IPv4 CIDR such as 203.0.113.0/24.',
    ],
    [
      "a generation of no credentials",
      { credentials: 0 },
      "slipway:database.credentials = 0: must be 1 or more.",
    ],
    [
      "a password of one's own",
      { administratorPassword: "hunter2" },
      "slipway:database.administratorPassword: is not a known key. See infra/config/stack.schema.json for the keys there are.",
    ],
  ])("%s", (_, database, message) => {
    expect(messageOf(database)).toBe(message);
  });

  test("a private server in a network that AKS makes", () => {
    const { network: _, ...without } = azure;
    expect(messageOf({}, without)).toBe(
      "slipway:database.access.kind: needs a virtual network of the stack's own. Set slipway:platform.network: {}, or access: {kind: firewall}.",
    );
    expect(messageOf({ access: { kind: "firewall" } }, without)).toBe("accepted");
  });

  test("a standby in another zone, where there are none", () => {
    expect(messageOf({ highAvailability: "zoneRedundant" }, { ...azure, location: "westus" })).toContain(
      "cannot be set: westus has no availability zones",
    );
  });

  test.each<[Given]>([[{ kind: "local" }], [{ kind: "shared", stack: "organization/slipway/dev" }]])(
    "a server without a resource group of the stack's own: %o",
    (platform) => {
      expect(messageOf({}, platform)).toBe(
        `slipway:database.kind = "azure": needs the platform azure, and this one is ${platform.kind}. Use inCluster, or external with the URL of a server that is there.`,
      );
    },
  );

  test.each([
    ["10.0.0.0/16", "must not be 10.0.0.0/16 or 10.244.0.0/16, which AKS gives to Services and pods."],
    ["10.240.0.0/20", "must be a private block of /16, such as 10.240.0.0/16."],
    ["203.0.0.0/16", "must be a private block of /16, such as 10.240.0.0/16."],
    ["10.999.0.0/16", "must be an IPv4 CIDR such as 203.0.113.0/24."],
  ])("the network %s", (addressSpace, message) => {
    expect(messageOf({}, { ...azure, network: { addressSpace } })).toBe(
      `slipway:platform.network.addressSpace = "${addressSpace}": ${message}`,
    );
  });
});

describe("of a server that is there", () => {
  const choices = (database: Given) => databaseChoices(parse(database).database);
  const before = choices({ version: "16", storageGb: 128 });

  test.each<[what: string, database: Given]>([
    ["a version that is raised", { version: "17", storageGb: 128 }],
    ["storage that grows", { version: "16", storageGb: 256 }],
    [
      "all the rest",
      {
        version: "16",
        storageGb: 128,
        sku: "Standard_E4ds_v5",
        highAvailability: "zoneRedundant",
        backupRetentionDays: 35,
        deletionProtection: false,
        credentials: 2,
      },
    ],
  ])("%s is changed in place", (_, database) => {
    expect(replacements(before, choices(database))).toEqual([]);
  });

  test("a version that is taken back, or storage that shrinks, is refused even where a loss is allowed", () => {
    const after = choices({ version: "15", storageGb: 64 });
    const problems = [
      {
        key: "slipway:database.version",
        value: "15",
        rule: 'was "16" and cannot be lowered: Azure only raises it',
        hint: "Set it to 16 or more",
      },
      {
        key: "slipway:database.storageGb",
        value: "64",
        rule: 'was "128" and cannot be lowered: Azure only raises it',
        hint: "Set it to 128 or more",
      },
    ];
    expect(replacements(before, after)).toEqual(problems);
    expect(replacements(before, after, true)).toEqual(problems);
  });

  test("what would replace it names the data, and goes where that is allowed", () => {
    const moved = choices({
      version: "16",
      storageGb: 128,
      geoRedundantBackup: true,
      access: { kind: "firewall" },
    });
    expect(replacements(before, moved).map(({ key, rule }) => [key, rule.split("would ")[1]])).toEqual([
      ["slipway:database.access.kind", "replace the database server, with all data in it"],
      ["slipway:database.geoRedundantBackup", "replace the database server, with all data in it"],
    ]);
    expect(replacements(before, moved, true)).toEqual([]);
  });
});

test.each([
  ["203.0.113.7/32", "203.0.113.7", "203.0.113.7"],
  ["203.0.113.5/30", "203.0.113.4", "203.0.113.7"],
  ["192.0.2.0/24", "192.0.2.0", "192.0.2.255"],
  ["0.0.0.0/0", "0.0.0.0", "255.255.255.255"],
  ["255.255.255.254/31", "255.255.255.254", "255.255.255.255"],
])("the addresses of %s are %s to %s", (cidr, start, end) => {
  expect(rangeOf(cidr)).toEqual({ start, end });
});

describe("the program of a stack with a server on Azure", () => {
  const run = (database: Given) =>
    runProgram("dev", {
      ...stackConfig("dev"),
      "slipway:platform": JSON.stringify(azure),
      "slipway:database": JSON.stringify({ kind: "azure", ...database }),
    });
  const decoded = (data: unknown) =>
    Object.fromEntries(
      Object.entries((data as { "[secret]": Record<string, string> })["[secret]"]).map(([name, value]) => [
        name,
        Buffer.from(value, "base64").toString(),
      ]),
    );

  test("gives the administrator's password to Azure and to the set-up as a secret, and each workload a user by TLS", async () => {
    const { resources } = await run({});
    const one = (name: string) => resources.find((resource) => resource.name === name)?.inputs;
    const password = one("database-server")?.administratorLoginPassword as { "[secret]": string };
    expect(password["[secret]"]).toMatch(/^aA1[\w-]{43}$/);
    expect(decoded(one("database-admin")?.data)).toMatchObject({
      PGHOST: expect.stringMatching(/^psql-slipway-dev-[0-9a-f]{10}\.postgres\.database\.azure\.com$/),
      PGUSER: "slipway",
      PGPASSWORD: password["[secret]"],
      PGSSLMODE: "require",
    });
    const { DATABASE_URL } = decoded(one("database-api-1")?.data);
    expect(DATABASE_URL).toMatch(
      /^postgres:\/\/api_1:[\w-]{43}@psql-slipway-dev-\w+\.postgres\.database\.azure\.com:5432\/api\?sslmode=verify-full$/,
    );
    expect(one("database-require-tls")).toMatchObject({
      configurationName: "require_secure_transport",
      value: "on",
    });
    expect(resources.filter(({ type }) => /StatefulSet|PersistentVolumeClaim/.test(type))).toEqual([]);
  });

  test("opens a public server to the cluster and to those named, by default to nobody outside the network", async () => {
    const open = await run({ access: { kind: "firewall", allowedIpRanges: ["203.0.113.0/30"] } });
    const rules = open.resources.filter(({ type }) => type.endsWith(":FirewallRule"));
    expect(
      rules.map(({ inputs }) => [inputs.firewallRuleName, inputs.startIpAddress, inputs.endIpAddress]),
    ).toEqual([
      ["allow-203-0-113-0-30", "203.0.113.0", "203.0.113.3"],
      ["allow-cluster", "198.51.100.9", "198.51.100.9"],
    ]);
    const closed = await run({});
    expect(closed.resources.filter(({ type }) => type.endsWith(":FirewallRule"))).toEqual([]);
    const server = closed.resources.find(({ name }) => name === "database-server");
    expect(server?.inputs.network).toMatchObject({
      publicNetworkAccess: "Disabled",
      delegatedSubnetResourceId: expect.stringMatching(/\/subnets\/database$/),
    });
  });
});
