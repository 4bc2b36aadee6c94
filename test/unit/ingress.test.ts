import { beforeEach, describe, expect, test, vi } from "vitest";
import type { RawConfig } from "../../local/deliver/project.ts";
import { type Run, runProgram } from "../support/program.ts";
import { find, objectsOf } from "../support/release.ts";

vi.mock("../../infra/platform/azure/login.ts", () => ({ requireAzureLogin: async () => {} }));
vi.mock("../../infra/images/buildNumber.ts", () => ({ buildNumber: () => "0123456789" }));
vi.mock("../../infra/platform/reader.ts", () => ({ clusterReader: () => async () => undefined }));

const shared = vi.hoisted(() => ({ platform: undefined as unknown }));
vi.mock("@pulumi/pulumi", async (original) => ({
  ...(await original<typeof import("@pulumi/pulumi")>()),
  StackReference: class {
    async getOutputDetails() {
      return { secretValue: shared.platform };
    }
  },
}));

const keyVaults = { "kv-team": { kind: "existing", resourceGroup: "rg-team" } };
const zone = "/subscriptions/s/resourceGroups/rg-dns/providers/Microsoft.Network/dnsZones/example.com";
const platform = {
  kind: "azure",
  location: "westeurope",
  cluster: { kubernetesVersion: "1.34", appRouting: { dnsZones: [zone] } },
  keyVaults,
};
const exposure = {
  api: { type: "Ingress", host: "api.example.com", tls: { keyVault: "kv-team/api-example-com" } },
  frontend: { type: "LoadBalancer", dnsLabel: "shop" },
};

describe("a workload with a host name", () => {
  const objects = objectsOf(
    { ports: { http: 8080, metrics: 9090 } },
    { platform, exposure: { api: exposure.api } },
    { vaultAccess: { api: { clientId: "client", tenantId: "tenant", versions: {} } } },
  );

  test("is reached through the ingress controller of AKS, by HTTPS, at its first port", () => {
    expect(find(objects, "Ingress").spec).toEqual({
      ingressClassName: "webapprouting.kubernetes.azure.com",
      tls: [{ hosts: ["api.example.com"], secretName: "api-tls" }],
      rules: [
        {
          host: "api.example.com",
          http: {
            paths: [
              {
                path: "/",
                pathType: "Prefix",
                backend: { service: { name: "api", port: { name: "http" } } },
              },
            ],
          },
        },
      ],
    });
    expect(find(objects, "Service").spec.type).toBe("ClusterIP");
  });

  test("lets the controller in, and nobody else", () => {
    expect(find(objects, "NetworkPolicy").spec.ingress).toEqual([
      {
        from: [
          {
            namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "app-routing-system" } },
          },
        ],
        ports: [{ protocol: "TCP", port: 8080 }],
      },
    ]);
  });

  test("has its certificate where the controller looks for it, kept current by what mounts it", () => {
    const { parameters, secretObjects } = find(objects, "SecretProviderClass").spec;
    const { array } = JSON.parse(parameters.objects) as { array: string[] };
    // Only the secret beside a certificate has its private key.
    expect(array.map((text) => JSON.parse(text))).toEqual([
      { objectName: "api-example-com", objectType: "secret", objectAlias: "tls.pem" },
    ]);
    expect(secretObjects).toEqual([
      {
        secretName: "api-tls",
        type: "kubernetes.io/tls",
        data: [
          { objectName: "tls.pem", key: "tls.key" },
          { objectName: "tls.pem", key: "tls.crt" },
        ],
      },
    ]);
    const { volumes } = find(objects, "Deployment").spec.template.spec;
    expect(volumes).toContainEqual(expect.objectContaining({ name: "vault" }));
  });
});

test("a load balancer is told the name that Azure is to give to its address", () => {
  const { metadata } = find(objectsOf({}, { platform, exposure: { api: exposure.frontend } }), "Service");
  expect(metadata).toMatchObject({
    annotations: { "service.beta.kubernetes.io/azure-dns-label-name": "shop" },
  });
});

const ofType = ({ resources }: Run, type: string) => resources.filter((resource) => resource.type === type);
const role = "azure-native:authorization:RoleAssignment";

describe("on azure", () => {
  const run = () =>
    runProgram("dev", { "slipway:platform": platform, "slipway:exposure": exposure } as RawConfig);

  test("addresses are known without asking the cluster", async () => {
    const { outputs } = await run();
    expect(outputs.urls).toMatchObject({
      api: "https://api.example.com",
      frontend: "http://shop.westeurope.cloudapp.azure.com",
    });
  });

  test("the controller keeps the records of the zones, and the workload alone reads its certificate", async () => {
    const result = await run();
    const [cluster] = ofType(result, "azure-native:containerservice:ManagedCluster");
    expect(cluster?.inputs.ingressProfile).toEqual({
      webAppRouting: { enabled: true, dnsZoneResourceIds: [zone] },
    });
    const roles = ofType(result, role).map(({ inputs }) => inputs);
    expect(roles).toContainEqual(
      expect.objectContaining({
        scope: zone,
        principalId: "principal-of-app-routing",
        roleDefinitionId: expect.stringMatching(/befefa01-2a29-4197-83a8-272ff33ce314$/),
      }),
    );
    expect(roles).toContainEqual(
      expect.objectContaining({
        scope: expect.stringMatching(/\/vaults\/kv-team\/secrets\/api-example-com$/),
        principalId: "principal-of-id-slipway-dev-api",
      }),
    );
  });
});

describe("on another stack's cluster", () => {
  const cluster = { kubeconfig: "k", clusterIdentifier: "c", disposable: false };
  const base = { version: 1, registry: { server: "registry.example" }, builder: { platform: "linux/amd64" } };
  const config = {
    "slipway:platform": { kind: "shared", stack: "organization/slipway/dev" },
    "slipway:exposure": { api: exposure.frontend },
  };
  beforeEach(() => {
    shared.platform = { ...base, cluster };
  });

  test("a DNS label's region is that cluster's", async () => {
    shared.platform = { ...base, cluster: { ...cluster, location: "northeurope" } };
    const withPage = { ...config, "slipway:exposure": { ...exposure, api: { type: "LoadBalancer" } } };
    const { outputs } = await runProgram("uat", withPage);
    expect(outputs.urls).toMatchObject({ frontend: "http://shop.northeurope.cloudapp.azure.com" });
  });

  test("a host name needs its application routing, and the message says where to turn it on", async () => {
    const platform = { ...config["slipway:platform"], keyVaults };
    await expect(
      runProgram("uat", { "slipway:platform": platform, "slipway:exposure": exposure }),
    ).rejects.toThrow(
      'slipway:exposure.api.type = "Ingress": needs the application routing of AKS, and the cluster of organization/slipway/dev does not have it. Set slipway:platform.cluster.appRouting: {} in that stack, and deploy it.',
    );
  });
});
