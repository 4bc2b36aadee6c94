import { describe, expect, test } from "vitest";
import type { AzurePlatform } from "../../infra/config/azure.ts";
import { parseStackConfig } from "../../infra/config/parse.ts";
import { fixedChoices } from "../../infra/platform/azure/fixed.ts";
import { replacements } from "../../infra/platform/replacement.ts";

type Change = { readonly cluster?: object; readonly [key: string]: unknown };

function choices({ cluster, ...rest }: Change = {}, stack = "shop-dev") {
  const { platform } = parseStackConfig(
    {
      platform: {
        kind: "azure",
        location: "westeurope",
        cluster: { kubernetesVersion: "1.34", ...cluster },
        ...rest,
      },
    },
    { stack: "dev", workloads: [] },
  );
  const config = platform as AzurePlatform;
  return fixedChoices(config, config.resourceGroup ?? `rg-${stack}`, stack);
}

const lost = (change: Change) => replacements(choices(), choices(change)).map(({ key }) => key);

describe("these changes replace the cluster or the registry", () => {
  test.each<[key: string, change: Change]>([
    ["slipway:platform.location", { location: "northeurope" }],
    ["slipway:platform.resourceGroup", { resourceGroup: "shared" }],
    ["slipway:platform.cluster.apiServerAccess.kind", { cluster: { apiServerAccess: { kind: "private" } } }],
    [
      "slipway:platform.cluster.systemPool.vmSize",
      { cluster: { systemPool: { vmSize: "Standard_D4s_v5" } } },
    ],
    ["slipway:platform.cluster.systemPool.zones", { cluster: { systemPool: { zones: ["1", "2", "3"] } } }],
    ["slipway:platform.registry.name", { registry: { name: "shopregistry" } }],
  ])("%s", (key, change) => {
    expect(lost(change)).toEqual([key]);
  });

  test("a stack that is called otherwise", () => {
    const renamed = { resourceGroup: "rg-shop-dev" };
    expect(replacements(choices(), choices(renamed, "shop-uat"))).toMatchObject([
      { key: "the stack's name", value: "shop-uat" },
    ]);
  });
});

test.each<[what: string, change: Change]>([
  ["the Kubernetes version", { cluster: { kubernetesVersion: "1.35" } }],
  ["the tier", { cluster: { tier: "Premium" } }],
  ["the number of system nodes", { cluster: { systemPool: { count: 3 } } }],
  ["the user pools", { cluster: { userPools: { apps: { vmSize: "Standard_D2s_v5" } } } }],
  ["local accounts", { cluster: { localAccounts: true } }],
  ["the groups of administrators", { cluster: { adminGroups: ["0b6e1b0a-1d1c-4c7e-9a57-3f1f1a0c1b11"] } }],
  [
    "who may reach the API server",
    { cluster: { apiServerAccess: { kind: "public", authorizedIpRanges: ["203.0.113.0/24"] } } },
  ],
  ["the upgrade channel", { cluster: { upgradeChannel: "stable" } }],
  ["the maintenance window", { cluster: { maintenance: { day: "Monday" } } }],
  ["the login", { cluster: { login: "workloadidentity" } }],
  ["the tags", { tags: { team: "a" } }],
  ["the environment", { environment: "production" }],
  ["the registry's SKU", { registry: { sku: "Premium" } }],
  ["the way to pull", { registry: { pull: { kind: "kubeletIdentity" } } }],
])("%s changes in place", (_, change) => {
  expect(lost(change)).toEqual([]);
});

test("a refusal names the key, both values, what would be lost, and how to go on", () => {
  expect(replacements(choices(), choices({ registry: { name: "shopregistry" } }))).toEqual([
    {
      key: "slipway:platform.registry.name",
      value: "shopregistry",
      rule: 'was "generated" and cannot be changed in place: it would replace the container registry, with every image in it',
      hint: "Set it back; or, to lose that, set slipway:platform.allowReplace to true for one run",
    },
  ]);
});

test("a first deployment, and one of a version that kept no choices, is refused nothing", () => {
  expect(replacements({}, choices())).toEqual([]);
});
