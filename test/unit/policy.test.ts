import { describe, expect, test } from "vitest";
import { type CheckedResource, houseRules } from "../../infra/policy/rules.ts";

const digest = `registry.example/shop/api@sha256:${"0".repeat(64)}`;

/** The names of the rules that a resource breaks, with what they say. */
function broken(resource: CheckedResource): Record<string, readonly string[]> {
  return Object.fromEntries(
    houseRules
      .map(({ name, violations }) => [name, violations(resource)] as const)
      .filter(([, violations]) => violations.length > 0),
  );
}

const container = (change: object = {}) => ({
  name: "api",
  image: digest,
  resources: { requests: { cpu: "50m", memory: "64Mi" }, limits: { memory: "128Mi" } },
  readinessProbe: { httpGet: { path: "/readyz", port: "http" } },
  livenessProbe: { httpGet: { path: "/healthz", port: "http" } },
  ...change,
});
const pod = (type: string, change: object = {}, namespace = "shop") => ({
  type,
  props: { metadata: { namespace }, spec: { template: { spec: { containers: [container(change)] } } } },
});
const deployment = "kubernetes:apps/v1:Deployment";
const tags = { project: "shop", stack: "dev", environment: "development" };
const production = { ...tags, environment: "production" };
const registry = (props: object) => ({
  type: "azure-native:containerregistry:Registry",
  props: { tags, adminUserEnabled: false, anonymousPullEnabled: false, ...props },
});
const cluster = (props: object) => ({
  type: "azure-native:containerservice:ManagedCluster",
  props: {
    tags: production,
    disableLocalAccounts: true,
    sku: { tier: "Standard" },
    apiServerAccessProfile: { enablePrivateCluster: true },
    ...props,
  },
});

test("what keeps the rules breaks none", () => {
  for (const resource of [pod(deployment), registry({ tags: production }), cluster({})])
    expect(broken(resource)).toEqual({});
});

describe("a rule tells what breaks it", () => {
  const cases: [rule: string, resource: CheckedResource, violation: string][] = [
    [
      "image-digest",
      pod(deployment, { image: "registry.example/shop/api:4711" }),
      "container api: image registry.example/shop/api:4711 is not a digest: name it as name@sha256:…",
    ],
    [
      "image-digest",
      pod("kubernetes:apps/v1:StatefulSet", { image: "postgres" }),
      "container api: image postgres is not a digest: name it as name@sha256:…",
    ],
    [
      "image-tag",
      { type: "docker:index/image:Image", props: { imageName: "registry.example:5000/shop/api" } },
      "imageName has no tag or is :latest: tag it with the build number",
    ],
    [
      "image-tag",
      { type: "docker:index/image:Image", props: { imageName: "registry.example/shop/api:latest" } },
      "imageName has no tag or is :latest: tag it with the build number",
    ],
    [
      "container-resources",
      pod("kubernetes:batch/v1:Job", { resources: { requests: { cpu: "50m" } } }),
      "container api: has no resources.requests.memory, resources.limits.memory",
    ],
    [
      "container-probes",
      pod(deployment, { livenessProbe: undefined }),
      "container api: has no livenessProbe",
    ],
    [
      "azure-tags",
      { type: "azure-native:keyvault:Vault", props: { tags: { project: "shop", stack: "dev" } } },
      "has no tag environment",
    ],
    ["registry-no-anonymous-pull", registry({ anonymousPullEnabled: true }), "anonymous pull is on"],
    ["registry-no-admin", registry({ adminUserEnabled: true }), "the admin user is on"],
    [
      "production-registry-no-admin",
      registry({ tags: production, adminUserEnabled: true }),
      "the admin user is on in production: set slipway:platform.registry.pull.kind to token or kubeletIdentity",
    ],
    [
      "production-no-local-accounts",
      cluster({ disableLocalAccounts: undefined }),
      "local accounts are on in production: set slipway:platform.cluster.localAccounts to false",
    ],
    [
      "production-uptime-sla",
      cluster({ sku: { tier: "Free" } }),
      "the tier Free has no uptime SLA: set slipway:platform.cluster.tier to Standard or Premium",
    ],
    [
      "production-api-server-access",
      cluster({ apiServerAccessProfile: { authorizedIPRanges: [] } }),
      "the API server answers every address: set slipway:platform.cluster.apiServerAccess to authorizedIpRanges or private",
    ],
  ];

  test.each(cases)("%s", (rule, resource, violation) => {
    expect(broken(resource)[rule]).toEqual([violation]);
  });

  test("every rule has a case above, and a name of its own", () => {
    expect(houseRules.map(({ name }) => name).sort()).toEqual(
      [...new Set(cases.map(([rule]) => rule))].sort(),
    );
  });
});

describe("a rule says nothing of what it is not about", () => {
  test("an init container is held to the rule of digests, and needs no probes", () => {
    const resource = pod(deployment);
    const [serving] = resource.props.spec.template.spec.containers;
    const init = { ...container({ image: "busybox" }), name: "init", readinessProbe: undefined };
    const spec = { containers: [serving], initContainers: [init] };
    expect(broken({ ...resource, props: { ...resource.props, spec: { template: { spec } } } })).toEqual({
      "image-digest": ["container init: image busybox is not a digest: name it as name@sha256:…"],
    });
  });

  test("a Job's container needs no probes", () => {
    const probes = { readinessProbe: undefined, livenessProbe: undefined };
    expect(broken(pod("kubernetes:batch/v1:Job", probes))).toEqual({});
  });

  test("software with manifests of its own, in its own namespace", () => {
    expect(broken(pod(deployment, { image: "example/argocd:v3.2.11", resources: {} }, "argocd"))).toEqual({});
  });

  test("a development cluster may be small and open", () => {
    const props = { tags, sku: { tier: "Free" }, disableLocalAccounts: false, apiServerAccessProfile: {} };
    expect(broken(cluster(props))).toEqual({});
  });

  test("types of Azure that take no tags", () => {
    expect(broken({ type: "azure-native:authorization:RoleAssignment", props: {} })).toEqual({});
  });
});
