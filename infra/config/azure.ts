import { z } from "zod";
import { azureRegion, regionsWithoutZones } from "./azureRegion.ts";
import { environment } from "./environment.ts";
import { keyVaults } from "./keyVault.ts";
import { monitoring } from "./monitoring.ts";
import { cidr } from "./primitives.ts";
import { systemVmSize, vmSize } from "./vmSize.ts";

const zones = z
  .array(z.enum(["1", "2", "3"], { error: 'must be "1", "2" or "3"' }))
  .refine((list) => new Set(list).size === list.length, "must not name a zone twice");

const nodeCount = z
  .int("must be a whole number")
  .min(1, "must be 1 or more")
  .max(1000, "must be 1000 or less");

/** Name of the cluster's inline pool. */
export const systemPoolName = "system";

const systemPool = z.strictObject({
  vmSize: systemVmSize
    .default("Standard_D2s_v5")
    .describe(
      "Size of the nodes that run Kubernetes' own pods: 2 cores and 4 GiB at least, no burstable B series in production.",
    ),
  count: nodeCount.default(2).describe("Number of nodes. AKS recommends 2 or more, 3 with zones."),
  zones: zones.optional().describe("Availability zones to spread the nodes over."),
});

const userPool = z
  .strictObject({
    vmSize: vmSize.describe("Size of the nodes."),
    minCount: z
      .int("must be a whole number")
      .min(0, "must be 0 or more")
      .max(1000, "must be 1000 or less")
      .default(1),
    maxCount: nodeCount.default(3),
    zones: zones.optional(),
    spot: z.boolean().default(false).describe("Spare capacity that Azure may take back at any time."),
  })
  .superRefine(({ minCount, maxCount }, context) => {
    if (minCount > maxCount) {
      context.addIssue({
        code: "custom",
        path: ["minCount"],
        input: minCount,
        message: `must not be more than maxCount (${maxCount})`,
        params: { hint: "Raise maxCount or lower minCount" },
      });
    }
  });

/** AKS takes 1 to 12 lower-case letters and digits for a Linux pool, a letter first. */
const poolName = z
  .string()
  .regex(
    /^[a-z][a-z0-9]{0,11}$/,
    "must be a node pool's name: 1 to 12 lower-case letters and digits, a letter first",
  )
  .refine((name) => name !== systemPoolName, `must not be ${systemPoolName}: the system pool is called so`);

const objectId = z.guid("must be the object id (a GUID) of an Entra ID group");

const apiServerAccess = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("public"),
    authorizedIpRanges: z.array(cidr).default([]).describe("Who may reach the API server. Empty: everyone."),
  }),
  z.strictObject({ kind: z.literal("private").describe("An address inside the virtual network only.") }),
]);

const maintenance = z.strictObject({
  day: z
    .enum(["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"])
    .default("Sunday"),
  startTime: z
    .string()
    .regex(/^([01]\d|2[0-3]):[0-5]\d$/, "must be a time such as 01:00")
    .default("01:00")
    .describe("UTC."),
  durationHours: z
    .int("must be a whole number")
    .min(4, "must be from 4 to 24")
    .max(24, "must be from 4 to 24")
    .default(4),
});

const appRouting = z.strictObject({
  dnsZones: z
    .array(
      z
        .string()
        .regex(
          /^\/subscriptions\/[^/]+\/resourceGroups\/[^/]+\/providers\/Microsoft\.Network\/(dnsZones|privateDnsZones)\/[^/]+$/i,
          "must be the resource id of a DNS zone: az network dns zone show --query id",
        ),
    )
    .default([])
    .describe("Azure DNS zones, by resource id, in which the controller keeps the hosts' records."),
});

/** Blocks that AKS gives to Services and to pods. */
const clusterBlocks = ["10.0.0.0/16", "10.244.0.0/16"];

const network = z.strictObject({
  addressSpace: z
    .string()
    .regex(/^(10\.\d{1,3}|172\.(1[6-9]|2\d|3[01])|192\.168)\.0\.0\/16$/, {
      error: "must be a private block of /16, such as 10.240.0.0/16",
      abort: true,
    })
    .pipe(cidr)
    .refine(
      (block) => !clusterBlocks.includes(block),
      `must not be ${clusterBlocks.join(" or ")}, which AKS gives to Services and pods`,
    )
    .default("10.240.0.0/16")
    .describe("Its addresses: the lower half is the nodes', and a block of the upper one the database's."),
});

const cluster = z.strictObject({
  kubernetesVersion: z
    .string("must be a string: quote it")
    .regex(/^1\.\d{2}$/, "must be a minor version such as 1.34; AKS picks the patch")
    .describe("Kubernetes minor version, such as 1.34."),
  tier: z
    .enum(["Free", "Standard", "Premium"])
    .default("Free")
    .describe("Free has no uptime SLA; Premium adds long-term support."),
  systemPool: systemPool.prefault({}),
  userPools: z
    .record(poolName, userPool)
    .default({})
    .describe("Node pools for workloads, by name. None: the workloads share the system pool."),
  localAccounts: z
    .boolean()
    .default(false)
    .describe("Cluster-admin certificates beside Entra ID. Not for production."),
  adminGroups: z.array(objectId).default([]).describe("Entra ID groups that administer the cluster."),
  apiServerAccess: apiServerAccess.default({ kind: "public", authorizedIpRanges: [] }),
  upgradeChannel: z
    .enum(["none", "patch", "stable", "rapid", "node-image"])
    .default("patch")
    .describe(
      "How AKS upgrades Kubernetes by itself; with stable or rapid the version here is only the first one.",
    ),
  maintenance: maintenance.prefault({}).describe("When upgrades may happen."),
  monitoring: monitoring.describe("What watches the cluster, and keeps what it sees."),
  appRouting: appRouting
    .optional()
    .describe(
      "AKS's own ingress controller, for exposures of the type Ingress. Given, even empty: it is on.",
    ),
  login: z
    .enum(["azurecli", "workloadidentity"])
    .default("azurecli")
    .describe(
      "How kubelogin, and so this program, signs in: azurecli by az login, workloadidentity in CI. Never by a browser.",
    ),
});

/** A day, or a point in time in UTC. */
const expiry = z
  .string('must be a date as a string, such as "2027-06-30"')
  .regex(/^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?Z)?$/, {
    error: "must be a date such as 2027-06-30",
    abort: true,
  })
  .refine((text) => !Number.isNaN(Date.parse(text)), "must be a date that exists")
  .refine((text) => !(Date.parse(text) <= Date.now()), {
    error: "is in the past",
    params: { hint: "Choose a later date, or remove it: the password would never work" },
  });

const registry = z.strictObject({
  name: z
    .string()
    .regex(/^[a-zA-Z0-9]+$/, "must be letters and digits only: a registry's name has no dashes")
    .min(5, "must be 5 to 50 letters and digits")
    .max(50, "must be 5 to 50 letters and digits")
    .optional()
    .describe("Globally unique. Default: project and stack with a random end."),
  sku: z.enum(["Basic", "Standard", "Premium"]).default("Basic"),
  pull: z
    .discriminatedUnion("kind", [
      z.strictObject({
        kind: z
          .literal("token")
          .describe("A token that may pull this stack's repositories only, in the namespace's pull secret."),
        rotation: z.string().min(1).default("1").describe("Any text; a change of it makes a new password."),
        maxAgeDays: z
          .int("must be a whole number")
          .min(1, "must be 1 or more")
          .max(3650, "must be 3650 or less")
          .optional()
          .describe(
            "A run that finds the password older makes a new one. Default: only a change of rotation does.",
          ),
        expiry: expiry.optional().describe("From when on Azure refuses the password, such as 2027-06-30."),
      }),
      z.strictObject({
        kind: z.literal("kubeletIdentity").describe("The nodes' own identity pulls; no secret is needed."),
      }),
      z.strictObject({
        kind: z
          .literal("admin")
          .describe("The registry's admin user, in the namespace's pull secret. For trials only."),
      }),
    ])
    .default({ kind: "token", rotation: "1" })
    .describe("How the cluster pulls."),
});

/** A new AKS cluster and container registry in a resource group of their own. */
export const azurePlatform = z
  .strictObject({
    kind: z.literal("azure"),
    location: azureRegion.describe("Azure region."),
    environment: environment
      .optional()
      .describe(
        "What the stack is for: production is held to stricter rules. Default: production for a stack called prod or production.",
      ),
    resourceGroup: z
      .string()
      .regex(
        /^[\w().-]{0,89}[\w()-]$/,
        "must be 1 to 90 letters, digits, underscores, parentheses, dashes and dots, without a dot at the end",
      )
      .optional()
      .describe("Default: project and stack."),
    tags: z
      .record(z.string().min(1).max(512), z.string().max(256))
      .default({})
      .describe("Tags on everything, besides project, stack and environment."),
    network: network
      .optional()
      .describe(
        "A virtual network of the stack's own, which a private database needs. Default: the one that AKS makes.",
      ),
    cluster,
    registry: registry.prefault({}),
    keyVaults: keyVaults
      .optional()
      .describe("Key Vaults that secrets may be in, by name. Given, even empty: the cluster mounts them."),
    allowReplace: z
      .boolean()
      .default(false)
      .describe(
        "Let this run replace the cluster, the registry or the database where a change asks for it, and lose what is in them.",
      ),
  })
  .superRefine((platform, context) => {
    const pools = [
      ["systemPool", platform.cluster.systemPool] as const,
      ...Object.entries(platform.cluster.userPools).map(
        ([name, pool]) => [`userPools.${name}`, pool] as const,
      ),
    ];
    for (const [path, pool] of pools) {
      if ((pool.zones?.length ?? 0) > 0 && regionsWithoutZones.includes(platform.location)) {
        context.addIssue({
          code: "custom",
          path: ["cluster", ...path.split("."), "zones"],
          message: `cannot be set: ${platform.location} has no availability zones`,
          params: { hint: "Remove zones, or choose another location" },
        });
      }
    }
  });

export type AzurePlatform = z.output<typeof azurePlatform>;
