import { beforeAll, describe, expect, test } from "vitest";
import { PushedWorkload } from "../../infra/delivery/push.ts";
import { type Registration, recordRegistrations, register } from "../support/registrations.ts";
import { objectsOf } from "../support/release.ts";

/** A workload with an object of every kind that a builder can make. */
const everything = () =>
  objectsOf(
    {
      config: { mountPath: "/config", files: { "a.txt": "a" } },
      secretEnv: ["TOKEN"],
      database: { migrate: ["migrate"] },
    },
    {
      secrets: { api: { TOKEN: "x" } },
      workloads: { api: { autoscaling: { minReplicas: 1, maxReplicas: 2 } } },
    },
  );

describe("a workload that has everything", () => {
  let registered: readonly Registration[];
  beforeAll(async () => {
    const run = () => register(() => new PushedWorkload("api", { objects: everything() }));
    registered = (await recordRegistrations(run)).registrations;
  });

  test("becomes these resources: their logical names are in the state of every stack", () => {
    const names = registered
      .filter(({ type }) => type !== "pulumi:pulumi:Stack")
      .map(({ type, name }) => `${type} ${name}`)
      .sort();
    expect(names).toEqual([
      "kubernetes:apps/v1:Deployment api-deployment",
      "kubernetes:autoscaling/v2:HorizontalPodAutoscaler api-autoscaler",
      "kubernetes:batch/v1:Job api-migration",
      "kubernetes:core/v1:ConfigMap api-config",
      "kubernetes:core/v1:Secret api-secret",
      "kubernetes:core/v1:Service api-service",
      "kubernetes:core/v1:ServiceAccount api-service-account",
      "kubernetes:networking.k8s.io/v1:NetworkPolicy api-network-policy",
      "kubernetes:policy/v1:PodDisruptionBudget api-disruption-budget",
      "slipway:delivery:Workload api",
    ]);
  });

  test("is the parent of all of them", () => {
    expect(registered.filter(({ parent }) => parent === "api")).toHaveLength(9);
    for (const { type, parent } of registered.filter((resource) => resource.type.startsWith("kubernetes:")))
      expect({ type, parent }).toEqual({ type, parent: "api" });
  });

  test("has its Deployment wait for what its pods need, and for nothing that waits for pods", () => {
    const deployment = registered.find(({ name }) => name === "api-deployment");
    expect([...(deployment?.dependsOn ?? [])].sort()).toEqual([
      "api-config",
      "api-migration",
      "api-network-policy",
      "api-secret",
      "api-service-account",
    ]);
  });
});

test("a workload whose secrets are in a Key Vault has its Deployment wait for what mounts them", async () => {
  const platform = {
    kind: "azure",
    location: "westeurope",
    cluster: { kubernetesVersion: "1.34" },
    keyVaults: { "kv-team": { kind: "existing", resourceGroup: "rg" } },
  };
  const objects = objectsOf(
    { secretEnv: ["TOKEN"] },
    { platform, secrets: { api: { TOKEN: { keyVault: "kv-team/token" } } } },
    { vaultAccess: { api: { clientId: "client", tenantId: "tenant", versions: { "kv-team/token": "1" } } } },
  );
  const run = () => register(() => new PushedWorkload("api", { objects }));
  const { registrations } = await recordRegistrations(run);
  expect(registrations.map(({ type, name }) => `${type} ${name}`)).toContain(
    "kubernetes:secrets-store.csi.x-k8s.io/v1:SecretProviderClass api-vault",
  );
  expect(registrations.find(({ name }) => name === "api-deployment")?.dependsOn).toContain("api-vault");
});

test("a workload gives its Service on, from which its address comes", async () => {
  const workload = await register(() => new PushedWorkload("api", { objects: objectsOf() }));
  const name = await new Promise((resolve) => workload.service.metadata.name.apply(resolve));
  expect(name).toBe("api");
});

test("a workload without a Service is a bug, and said to be", async () => {
  const objects = objectsOf().filter(({ kind }) => kind !== "Service");
  const workload = await register(() => new PushedWorkload("api", { objects }));
  expect(() => workload.service).toThrow("api has no Service");
});

test.each([
  [{ type: "ClusterIP" }, { "pulumi.com/skipAwait": "true" }],
  [{ type: "NodePort" }, { "pulumi.com/skipAwait": "true" }],
  [
    { type: "LoadBalancer", internal: true },
    {
      "service.beta.kubernetes.io/azure-load-balancer-internal": "true",
      "pulumi.com/waitFor": "jsonpath={.status.loadBalancer.ingress[0]}",
    },
  ],
])(
  "a Service is awaited until it has its address, never until its pods serve: %j",
  async (exposure, annotations) => {
    const objects = objectsOf({}, { exposure: { api: exposure } });
    const workload = await register(() => new PushedWorkload("api", { objects }));
    expect(await new Promise((resolve) => workload.service.metadata.annotations.apply(resolve))).toEqual(
      annotations,
    );
  },
);
