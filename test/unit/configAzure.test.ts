import { describe, expect, test } from "vitest";
import { InputError } from "../../infra/config/error.ts";
import { parseStackConfig } from "../../infra/config/parse.ts";

type Change = {
  readonly cluster?: Record<string, unknown>;
  readonly registry?: Record<string, unknown>;
  readonly [key: string]: unknown;
};

/** A configuration of the platform azure, but for these keys. */
function configuration({ cluster, ...rest }: Change = {}) {
  const base = { kind: "azure", location: "westeurope", ...rest };
  return { platform: { ...base, cluster: { kubernetesVersion: "1.34", ...cluster } } };
}

function messageOf(change: Change, stack = "dev"): string {
  try {
    parseStackConfig(configuration(change), { stack, workloads: ["api"] });
  } catch (error) {
    expect(error).toBeInstanceOf(InputError);
    return (error as InputError).message;
  }
  return "accepted";
}

const acrName = "must be letters and digits only: a registry's name has no dashes.";
const poolName = "must be a node pool's name: 1 to 12 lower-case letters and digits, a letter first.";
const tooSmall = "is too small for a system pool: AKS needs 2 cores and 4 GiB or more, such as Standard_B2s.";

describe("a value that Azure would refuse is refused before anything is created, with its key and the rule", () => {
  test.each<[rule: string, change: Change, message: string]>([
    [
      "a token's expiry in the past",
      { registry: { pull: { kind: "token", expiry: "2020-01-31" } } },
      'slipway:platform.registry.pull.expiry = "2020-01-31": is in the past. Choose a later date, or remove it: the password would never work.',
    ],
    [
      "a token's expiry that is no date",
      { registry: { pull: { kind: "token", expiry: "in May" } } },
      'slipway:platform.registry.pull.expiry = "in May": must be a date such as 2027-06-30.',
    ],
    [
      "a token's expiry on a day that does not exist",
      { registry: { pull: { kind: "token", expiry: "2100-13-01" } } },
      'slipway:platform.registry.pull.expiry = "2100-13-01": must be a date that exists.',
    ],
    [
      "a token's age of no day",
      { registry: { pull: { kind: "token", maxAgeDays: 0 } } },
      "slipway:platform.registry.pull.maxAgeDays = 0: must be 1 or more.",
    ],
    [
      "monitoring that does not exist",
      { cluster: { monitoring: { kind: "grafana" } } },
      'slipway:platform.cluster.monitoring.kind = "grafana": must be "none" or "containerInsights" or "managedPrometheus".',
    ],
    [
      "logs that are kept for less than Azure keeps them",
      { cluster: { monitoring: { kind: "containerInsights", retentionDays: 7 } } },
      "slipway:platform.cluster.monitoring.retentionDays = 7: must be from 30 to 730.",
    ],
    [
      "a key of another kind of monitoring",
      { cluster: { monitoring: { kind: "managedPrometheus", retentionDays: 60 } } },
      "slipway:platform.cluster.monitoring.retentionDays: is not a known key. See infra/config/stack.schema.json for the keys there are.",
    ],
    [
      "zones in a region that has none",
      { location: "westus", cluster: { systemPool: { zones: ["1", "2"] } } },
      "slipway:platform.cluster.systemPool.zones: cannot be set: westus has no availability zones. Remove zones, or choose another location.",
    ],
    [
      "zones of a user pool in a region that has none",
      { location: "ukwest", cluster: { userPools: { apps: { vmSize: "Standard_D2s_v5", zones: ["1"] } } } },
      "slipway:platform.cluster.userPools.apps.zones: cannot be set: ukwest has no availability zones. Remove zones, or choose another location.",
    ],
    [
      "a zone that does not exist",
      { cluster: { systemPool: { zones: ["4"] } } },
      'slipway:platform.cluster.systemPool.zones[0] = "4": must be "1" or "2" or "3".',
    ],
    [
      "a zone twice",
      { cluster: { systemPool: { zones: ["1", "1"] } } },
      "slipway:platform.cluster.systemPool.zones: must not name a zone twice.",
    ],
    [
      "a system pool without nodes",
      { cluster: { systemPool: { count: 0 } } },
      "slipway:platform.cluster.systemPool.count = 0: must be 1 or more.",
    ],
    [
      "a system pool of one core",
      { cluster: { systemPool: { vmSize: "Standard_B1s" } } },
      `slipway:platform.cluster.systemPool.vmSize = "Standard_B1s": ${tooSmall}`,
    ],
    [
      "a system pool of 1 GiB",
      { cluster: { systemPool: { vmSize: "Standard_B2ats_v2" } } },
      `slipway:platform.cluster.systemPool.vmSize = "Standard_B2ats_v2": ${tooSmall}`,
    ],
    [
      "a size that is not one",
      { cluster: { systemPool: { vmSize: "t3.medium" } } },
      'slipway:platform.cluster.systemPool.vmSize = "t3.medium": must be an Azure VM size, such as Standard_D2s_v5.',
    ],
    [
      "an autoscaler with more nodes at least than at most",
      { cluster: { userPools: { apps: { vmSize: "Standard_D2s_v5", minCount: 5, maxCount: 3 } } } },
      "slipway:platform.cluster.userPools.apps.minCount = 5: must not be more than maxCount (3). Raise maxCount or lower minCount.",
    ],
    [
      "a version that is not x.y",
      { cluster: { kubernetesVersion: "v1.34.2" } },
      'slipway:platform.cluster.kubernetesVersion = "v1.34.2": must be a minor version such as 1.34; AKS picks the patch.',
    ],
    [
      "a version that YAML reads as a number",
      { cluster: { kubernetesVersion: 1.34 } },
      "slipway:platform.cluster.kubernetesVersion = 1.34: must be a string: quote it.",
    ],
    [
      "a registry's name with dashes",
      { registry: { name: "shop-registry" } },
      `slipway:platform.registry.name = "shop-registry": ${acrName}`,
    ],
    [
      "a registry's name that is too short",
      { registry: { name: "shop" } },
      'slipway:platform.registry.name = "shop": must be 5 to 50 letters and digits.',
    ],
    [
      "a registry's name that is too long",
      { registry: { name: "a".repeat(51) } },
      `slipway:platform.registry.name = "${"a".repeat(51)}": must be 5 to 50 letters and digits.`,
    ],
    [
      "a user pool with the system pool's name",
      { cluster: { userPools: { system: { vmSize: "Standard_D2s_v5" } } } },
      "slipway:platform.cluster.userPools.system: must not be system: the system pool is called so.",
    ],
    [
      "a pool's name with capitals",
      { cluster: { userPools: { Apps: { vmSize: "Standard_D2s_v5" } } } },
      `slipway:platform.cluster.userPools.Apps: ${poolName}`,
    ],
    [
      "a group that is a name",
      { cluster: { adminGroups: ["admins"] } },
      'slipway:platform.cluster.adminGroups[0] = "admins": must be the object id (a GUID) of an Entra ID group.',
    ],
    [
      "an environment that there is not",
      { environment: "staging" },
      'slipway:platform.environment = "staging": must be "development" or "production".',
    ],
  ])("%s", (_, change, message) => {
    expect(messageOf(change)).toBe(message);
  });
});

describe("production is held to stricter rules", () => {
  const localAccounts =
    "slipway:platform.cluster.localAccounts = true: must be false in production: a certificate of the cluster's admin cannot be taken back. Remove it, and name cluster.adminGroups.";
  test.each<[rule: string, stack: string, change: Change, message: string]>([
    ["no local accounts", "prod", { cluster: { localAccounts: true } }, localAccounts],
    ["no local accounts", "production", { cluster: { localAccounts: true } }, localAccounts],
    [
      "no local accounts, whatever the stack is called",
      "live",
      { environment: "production", cluster: { localAccounts: true } },
      localAccounts,
    ],
    [
      "no admin user of the registry",
      "prod",
      { registry: { pull: { kind: "admin" } } },
      'slipway:platform.registry.pull.kind = "admin": must not be used in production: whoever reads the pull secret may push. Use token or kubeletIdentity.',
    ],
    [
      "no single system node",
      "prod",
      { cluster: { systemPool: { count: 1 } } },
      "slipway:platform.cluster.systemPool.count = 1: must be 2 or more in production: an upgrade takes one node away. AKS recommends 3 over zones.",
    ],
    [
      "no burstable system nodes",
      "prod",
      { cluster: { systemPool: { vmSize: "Standard_B2s" } } },
      'slipway:platform.cluster.systemPool.vmSize = "Standard_B2s": must not be of the burstable B series in production: it is slow once its credits are used up. Use a size such as Standard_D2s_v5.',
    ],
  ])("%s: %s", (_, stack, change, message) => {
    expect(messageOf(change, stack)).toBe(message);
  });

  test("a development stack may have all of that", () => {
    const change = {
      cluster: { localAccounts: true, systemPool: { count: 1, vmSize: "Standard_B2s" } },
      registry: { pull: { kind: "admin" } },
    };
    expect(messageOf(change)).toBe("accepted");
    expect(messageOf({ ...change, environment: "development" }, "prod")).toBe("accepted");
  });
});

test("the smallest sizes that AKS takes are accepted", () => {
  for (const vmSize of ["Standard_B2s", "Standard_B2als_v2", "Standard_D2s_v5", "Standard_A2_v2"])
    expect(messageOf({ cluster: { systemPool: { vmSize } } })).toBe("accepted");
});

test("images of another stack's registry, which the cluster may not pull from, are refused with the other way", () => {
  const images = { source: "promote", stack: "organization/shop/dev" };
  expect(() =>
    parseStackConfig({ ...configuration(), images }, { stack: "uat", workloads: ["api"] }),
  ).toThrow(
    "slipway:images.source = \"promote\": takes images from another stack's registry, which this platform's cluster may not pull from. Use digests, and npm run promote, which copies them to this stack's registry.",
  );
});
