import { beforeEach, describe, expect, test, vi } from "vitest";
import { InputError } from "../../infra/config/error.ts";
import { parseStackConfig } from "../../infra/config/parse.ts";
import { stableGuid } from "../../infra/platform/azure/guid.ts";
import { ordinalEnds } from "../../infra/workloads/build.ts";
import type { RawConfig } from "../../local/deliver/project.ts";
import { answer, type Run, runProgram } from "../support/program.ts";
import { find, minimal, objectsOf, release } from "../support/release.ts";

vi.mock("../../infra/platform/azure/login.ts", () => ({ requireAzureLogin: async () => {} }));
vi.mock("../../infra/images/buildNumber.ts", () => ({ buildNumber: () => "0123456789" }));
vi.mock("../../infra/application.ts", () => ({
  application: {
    api: {
      image: { context: "app/api" },
      ports: { http: 8080 },
      secretEnv: ["DATABASE_URL", "TOKEN"],
      readiness: { path: "/readyz", port: "http" },
      liveness: { path: "/healthz", port: "http" },
      resources: { requests: { cpu: "50m", memory: "64Mi" }, limits: { memory: "192Mi" } },
    },
  },
}));

const shared = vi.hoisted(() => ({ platform: undefined as unknown }));
vi.mock("@pulumi/pulumi", async (original) => ({
  ...(await original<typeof import("@pulumi/pulumi")>()),
  StackReference: class {
    async getOutputDetails() {
      return { secretValue: shared.platform };
    }
  },
}));

const existing = { "kv-team": { kind: "existing", resourceGroup: "rg-team" } };
const platform = (keyVaults?: object) => ({
  kind: "azure",
  location: "westeurope",
  cluster: { kubernetesVersion: "1.34" },
  ...(keyVaults === undefined ? {} : { keyVaults }),
});
const secrets = { api: { DATABASE_URL: { keyVault: "kv-team/database-url" }, TOKEN: "a-token" } };
const config = (keyVaults: object = existing, given: object = secrets): RawConfig => ({
  "slipway:platform": platform(keyVaults),
  "slipway:secrets": given,
});

function messageOf(raw: object): string {
  try {
    parseStackConfig(raw, { stack: "dev", workloads: ["api", "frontend"] });
    return "accepted";
  } catch (error) {
    expect(error).toBeInstanceOf(InputError);
    return (error as InputError).message;
  }
}

describe("a reference that cannot be followed is refused with its key, the value and the rule", () => {
  const local = { kind: "local", context: "own", registry: { server: "registry.example" } };
  const reference = (keyVault: unknown) => ({ api: { TOKEN: { keyVault } } });
  const format =
    'must be "vault/name": the name of a Key Vault, a slash, and 1 to 127 letters, digits and dashes, without a version.';

  test.each<[what: string, platform: object, secrets: object, message: string]>([
    [
      "that names no vault",
      platform(existing),
      reference("database-url"),
      `slipway:secrets.api.TOKEN.keyVault = "database-url": ${format}`,
    ],
    [
      "that names a version",
      platform(existing),
      reference("kv-team/database-url/0123"),
      `slipway:secrets.api.TOKEN.keyVault = "kv-team/database-url/0123": ${format}`,
    ],
    [
      "that is not text",
      platform(existing),
      reference(1),
      'slipway:secrets.api.TOKEN.keyVault = 1: must be "vault/name".',
    ],
    [
      "with another key",
      platform(existing),
      { api: { TOKEN: { vault: "kv-team/x" } } },
      'slipway:secrets.api.TOKEN: must be a string, or { keyVault: "vault/secret" }.',
    ],
    [
      "to a vault that the platform does not name",
      platform(existing),
      reference("kv-other/token"),
      'slipway:secrets.api.TOKEN.keyVault = "kv-other/token": names a Key Vault that slipway:platform.keyVaults does not have: it has kv-team. Add the vault there, or correct its name.',
    ],
    [
      "where the platform names no vaults",
      platform(),
      reference("kv-team/token"),
      'slipway:secrets.api.TOKEN.keyVault = "kv-team/token": names a Key Vault that slipway:platform.keyVaults does not have. Add the vault there, or correct its name.',
    ],
    [
      "on a local platform",
      local,
      reference("kv-team/token"),
      'slipway:secrets.api.TOKEN.keyVault = "kv-team/token": needs a Key Vault, and a local platform has none. Set the value itself: pulumi config set --secret --path.',
    ],
  ])("%s", (_, on, given, message) => {
    expect(messageOf({ platform: on, secrets: given })).toBe(message);
  });

  test.each([
    ["kv--team", "two dashes in a row"],
    ["1kv", "a digit first"],
    ["kv", "two characters"],
    ["kv-", "a dash at the end"],
    ["k".repeat(25), "25 characters"],
  ])("a vault is not called %s: %s", (name) => {
    expect(messageOf({ platform: platform({ [name]: { kind: "new" } }) })).toBe(
      `slipway:platform.keyVaults.${name}: must be a Key Vault's name: 3 to 24 letters, digits and single dashes, a letter first and no dash at the end.`,
    );
  });

  test("a workload may refer to several vaults, and two workloads to vaults of their own", () => {
    const vaults = { ...existing, "kv-other": { kind: "existing", resourceGroup: "rg" } };
    const given = {
      api: { A: { keyVault: "kv-team/a" }, C: { keyVault: "kv-other/c" } },
      frontend: { B: { keyVault: "kv-other/b" } },
    };
    expect(messageOf({ platform: platform(vaults), secrets: given })).toBe("accepted");
  });
});

describe("the pods", () => {
  const objects = (version: string) =>
    objectsOf(
      { secretEnv: ["DATABASE_URL", "TOKEN"] },
      { secrets, platform: platform(existing) },
      {
        vaultAccess: {
          api: { clientId: "client", tenantId: "tenant", versions: { "kv-team/database-url": version } },
        },
      },
    );
  const podOf = (version: string) => find(objects(version), "Deployment").spec.template.spec;

  test("mount the secret of the vault by the workload's own identity", () => {
    const all = objects("1");
    const mounted = find(all, "SecretProviderClass");
    expect(mounted.spec.parameters).toMatchObject({
      keyvaultName: "kv-team",
      clientID: "client",
      tenantId: "tenant",
      usePodIdentity: "false",
    });
    const { array } = JSON.parse(mounted.spec.parameters.objects) as { array: string[] };
    expect(array.map((text) => JSON.parse(text))).toEqual([
      { objectName: "database-url", objectType: "secret", objectAlias: "DATABASE_URL" },
    ]);
    expect(find(all, "ServiceAccount").metadata).toMatchObject({
      annotations: { "azure.workload.identity/client-id": "client" },
    });
    expect(podOf("1").volumes).toEqual([
      {
        name: "vault",
        csi: {
          driver: "secrets-store.csi.k8s.io",
          readOnly: true,
          volumeAttributes: { secretProviderClass: mounted.metadata.name },
        },
      },
    ]);
  });

  test("see it as an environment variable, beside one whose value is in the stack's file", () => {
    const all = objects("1");
    const [synced] = find(all, "SecretProviderClass").spec.secretObjects;
    expect(synced?.data).toEqual([{ objectName: "DATABASE_URL", key: "DATABASE_URL" }]);
    const env = podOf("1").containers[0]?.env;
    expect(env).toContainEqual({
      name: "DATABASE_URL",
      valueFrom: { secretKeyRef: { name: synced?.secretName, key: "DATABASE_URL" } },
    });
    const secret = find(all, "Secret").metadata.name;
    expect(env).toContainEqual({
      name: "TOKEN",
      valueFrom: { secretKeyRef: { name: secret, key: "TOKEN" } },
    });
    expect(secret).not.toBe(synced?.secretName);
  });

  test("mount each of several vaults apart, by one identity: the certificate's too, which is no variable", () => {
    const vaults = ["kv-team", "kv-other", "kv-certificates"].map((name) => [name, existing["kv-team"]]);
    const all = objectsOf(
      { secretEnv: ["A", "B", "C"] },
      {
        platform: {
          ...platform(Object.fromEntries(vaults)),
          cluster: { kubernetesVersion: "1.34", appRouting: {} },
        },
        secrets: {
          api: {
            A: { keyVault: "kv-team/one" },
            B: { keyVault: "kv-other/one" },
            C: { keyVault: "kv-team/two" },
          },
        },
        exposure: {
          api: { type: "Ingress", host: "shop.example.com", tls: { keyVault: "kv-certificates/shop" } },
        },
      },
      {
        vaultAccess: {
          api: {
            clientId: "client",
            tenantId: "tenant",
            versions: { "kv-team/one": "1", "kv-team/two": "1", "kv-other/one": "1" },
          },
        },
      },
    );
    const classes = all.filter((object) => object.kind === "SecretProviderClass");
    expect(classes.map(({ spec }) => [spec.parameters.keyvaultName, spec.parameters.clientID])).toEqual([
      ["kv-team", "client"],
      ["kv-other", "client"],
      ["kv-certificates", "client"],
    ]);
    expect(new Set(classes.map(({ metadata }) => metadata.name)).size).toBe(3);
    const { containers, volumes } = find(all, "Deployment").spec.template.spec;
    expect(
      volumes?.map((volume) => ("csi" in volume ? [volume.name, volume.csi.volumeAttributes] : [])),
    ).toEqual(
      classes.map(({ metadata }, index) => [
        index === 0 ? "vault" : `vault-${index + 1}`,
        { secretProviderClass: metadata.name },
      ]),
    );
    expect(containers[0]?.volumeMounts?.map(({ mountPath }) => mountPath)).toEqual([
      "/mnt/secrets-store/kv-team",
      "/mnt/secrets-store/kv-other",
      "/mnt/secrets-store/kv-certificates",
    ]);
    const sources = containers[0]?.env.flatMap((one) =>
      "valueFrom" in one && "secretKeyRef" in one.valueFrom
        ? [[one.name, one.valueFrom.secretKeyRef.name]]
        : [],
    );
    expect(Object.fromEntries(sources ?? [])).toEqual({
      A: classes[0]?.metadata.name,
      B: classes[1]?.metadata.name,
      C: classes[0]?.metadata.name,
    });
    expect(ordinalEnds(classes)).toEqual(["", "-2", "-3"]);
  });

  test("are rolled by a new version of it, and only then", () => {
    expect(podOf("2")).not.toEqual(podOf("1"));
    expect(podOf("1")).toEqual(podOf("1"));
  });

  test("are let out to nowhere: the driver on the node asks the vault, not the pod", () => {
    const plain = objectsOf({}, {});
    expect(find(objects("1"), "NetworkPolicy").spec).toEqual(find(plain, "NetworkPolicy").spec);
  });

  test("never start without access that somebody provided", () => {
    expect(() =>
      release({
        application: { api: { ...minimal, secretEnv: ["DATABASE_URL"] } },
        config: { secrets, platform: platform(existing) },
      }),
    ).toThrow("api has no access to its Key Vault");
  });
});

const ofType = ({ resources }: Run, type: string) => resources.filter((resource) => resource.type === type);
const identity = "azure-native:managedidentity:UserAssignedIdentity";
const federation = "azure-native:managedidentity:FederatedIdentityCredential";
const role = "azure-native:authorization:RoleAssignment";
const vault = "azure-native:keyvault:Vault";

describe("on azure", () => {
  const subscription = "/subscriptions/00000000-0000-0000-0000-000000000001";

  test("the workload has an identity that only its service account can use, for that one secret", async () => {
    const run = await runProgram("dev", config());
    expect(ofType(run, identity).map(({ inputs }) => inputs.resourceName)).toContain("id-slipway-dev-api");
    expect(ofType(run, federation).map(({ inputs }) => inputs)).toEqual([
      {
        resourceGroupName: "rg-slipway-dev",
        resourceName: "id-slipway-dev-api",
        federatedIdentityCredentialResourceName: "kubernetes",
        issuer: "https://issuer.example/tenant/cluster/",
        subject: "system:serviceaccount:dev:api",
        audiences: ["api://AzureADTokenExchange"],
      },
    ]);
    const scoped = ofType(run, role).filter(({ inputs }) => String(inputs.scope).includes("KeyVault"));
    expect(scoped.map(({ inputs }) => inputs)).toEqual([
      {
        scope: `${subscription}/resourceGroups/rg-team/providers/Microsoft.KeyVault/vaults/kv-team/secrets/database-url`,
        roleAssignmentName: stableGuid("slipway-dev-api/secret/kv-team/database-url"),
        roleDefinitionId: `${subscription}/providers/Microsoft.Authorization/roleDefinitions/4633458b-17de-408a-b874-0445c86b69e6`,
        principalId: "principal-of-id-slipway-dev-api",
        principalType: "ServicePrincipal",
      },
    ]);
  });

  test("the cluster mounts vaults, and follows them, only where the platform names vaults", async () => {
    const addon = async (raw: RawConfig) => {
      const [cluster] = ofType(await runProgram("dev", raw), "azure-native:containerservice:ManagedCluster");
      return (cluster?.inputs.addonProfiles as Record<string, unknown> | undefined)
        ?.azureKeyvaultSecretsProvider;
    };
    expect(await addon(config())).toEqual({
      enabled: true,
      config: { enableSecretRotation: "true", rotationPollInterval: "2m" },
    });
    const plain = {
      "slipway:platform": platform(),
      "slipway:secrets": { api: { DATABASE_URL: "x", TOKEN: "y" } },
    };
    expect(await addon(plain)).toEqual({ enabled: false });
  });

  test("a secret that is rotated in the vault rolls the pods at the next run", async () => {
    const mounted = async (version: string) => {
      const run = await runProgram("dev", config(), (call) =>
        call.token === "azure-native:keyvault:getSecret"
          ? { properties: { secretUriWithVersion: `https://kv-team.vault.azure.net/secrets/x/${version}` } }
          : answer(call),
      );
      const deployment = run.resources.find(({ type }) => type === "kubernetes:apps/v1:Deployment");
      return JSON.stringify(deployment?.inputs);
    };
    expect(await mounted("2")).not.toBe(await mounted("1"));
  });

  test("a secret that is not in an existing vault is refused before anything is created", async () => {
    const run = runProgram("dev", config(), (call) => {
      if (call.token !== "azure-native:keyvault:getSecret") return answer(call);
      const details = 'Status=404 Code="SecretNotFound"';
      throw Object.assign(new Error(details), { details });
    });
    await expect(run).rejects.toThrow(
      'slipway:secrets.api.DATABASE_URL.keyVault = "kv-team/database-url": is not in Azure: the resource group rg-team has no such vault, or the vault no such secret. Set it: az keyvault secret set --vault-name kv-team --name database-url --file FILE.',
    );
  });

  test("a vault of the stack's own is governed by roles, can be recovered, and is protected where that is asked for", async () => {
    const made = async (settings: object) => {
      const group = "11111111-1111-1111-1111-111111111111";
      const run = await runProgram(
        "dev",
        config({ "kv-team": { kind: "new", officers: [group], ...settings } }),
      );
      const officers = ofType(run, role).filter(({ inputs }) => inputs.principalType === "Group");
      expect(officers.map(({ inputs }) => inputs.principalId)).toEqual([group]);
      return ofType(run, vault).map(({ inputs }) => inputs);
    };
    const properties = {
      tenantId: "tenant",
      sku: { family: "A", name: "standard" },
      enableRbacAuthorization: true,
      enableSoftDelete: true,
      softDeleteRetentionInDays: 7,
    };
    expect(await made({ retentionDays: 7 })).toMatchObject([
      {
        resourceGroupName: "rg-slipway-dev",
        location: "westeurope",
        tags: { project: "slipway", stack: "dev" },
        vaultName: "kv-team",
        properties,
      },
    ]);
    // Azure refuses a false, and this cannot be taken back.
    expect((await made({ retentionDays: 7 }))[0]?.properties).not.toHaveProperty("enablePurgeProtection");
    expect(await made({ retentionDays: 7, purgeProtection: true })).toMatchObject([
      { properties: { ...properties, enablePurgeProtection: true } },
    ]);
  });
});

describe("on another stack's cluster", () => {
  const cluster = { kubeconfig: "k", clusterIdentifier: "c", disposable: false };
  const base = {
    version: 1,
    cluster,
    registry: { server: "registry.example" },
    builder: { platform: "linux/amd64" },
  };
  const raw: RawConfig = {
    "slipway:platform": { kind: "shared", stack: "organization/slipway/dev", keyVaults: existing },
    "slipway:secrets": secrets,
  };
  beforeEach(() => {
    shared.platform = {
      ...base,
      azure: {
        subscriptionId: "sub",
        tenantId: "tenant",
        resourceGroup: "rg-slipway-dev",
        location: "westeurope",
        oidcIssuer: "https://issuer.example/",
      },
    };
  });

  test("the stack makes identities of its own beside that cluster, for its own namespace", async () => {
    const run = await runProgram("uat", raw);
    expect(ofType(run, identity).map(({ inputs }) => inputs)).toEqual([
      {
        resourceGroupName: "rg-slipway-dev",
        location: "westeurope",
        tags: { project: "slipway", stack: "uat", environment: "development" },
        resourceName: "id-slipway-uat-api",
      },
    ]);
    expect(ofType(run, federation).map(({ inputs }) => inputs.subject)).toEqual([
      "system:serviceaccount:uat:api",
    ]);
  });

  test("a cluster that mounts no vaults is refused, with what to do", async () => {
    shared.platform = base;
    await expect(runProgram("uat", raw)).rejects.toThrow(
      "slipway:platform.keyVaults: needs a cluster that mounts Key Vaults, and that of organization/slipway/dev does not. Set slipway:platform.keyVaults: {} in that stack too, and deploy it.",
    );
  });
});
