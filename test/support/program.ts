import type * as pulumi from "@pulumi/pulumi";
import { application } from "../../infra/application.ts";
import { evaluateProgram } from "../../local/deliver/evaluate.ts";
import { type RawConfig, stackConfig } from "../../local/deliver/project.ts";
import { mapSecrets } from "../../local/deliver/secrets.ts";

/** A resource as the program registered it: inputs with Pulumi's secret markers made readable. */
export interface Registered {
  readonly type: string;
  readonly name: string;
  readonly provider?: string;
  readonly inputs: Record<string, unknown>;
}

export interface Run {
  readonly resources: readonly Registered[];
  readonly outputs: Record<string, unknown>;
}

/** Shows a secret as `{ "[secret]": value }`, so that a golden file tells when one is lost. */
function showSecrets(value: unknown): unknown {
  return mapSecrets(value, (secret) => ({ "[secret]": secret }));
}

/** A dynamic provider's serialized program is code, not an input. */
function withoutProgram({ __provider, ...inputs }: Record<string, unknown>): Record<string, unknown> {
  return inputs;
}

/** What a cluster and a registry would add to a resource's inputs. */
function stateOf({ type, name, inputs }: pulumi.runtime.MockResourceArgs): Record<string, unknown> {
  const state = structuredClone(inputs) as Record<string, never>;
  switch (type) {
    case "docker:index/image:Image":
      return {
        ...state,
        repoDigest: `${(inputs.imageName as string).replace(/:[^:/]+$/, "")}@sha256:${"0".repeat(64)}`,
      };
    case "kubernetes:core/v1:Service": {
      const spec = inputs.spec as { type: string; ports: { nodePort?: number }[] };
      const ports = spec.ports.map((port) =>
        spec.type === "ClusterIP" ? port : { nodePort: 31234, ...port },
      );
      return {
        ...state,
        spec: { ...spec, ports },
        status: {
          loadBalancer: { ingress: spec.type === "LoadBalancer" ? [{ ip: `203.0.113.${name.length}` }] : [] },
        },
      };
    }
    case "pulumi:pulumi:StackReference":
      return {
        ...state,
        outputs: {
          images: Object.fromEntries(Object.keys(application).map((name) => [name, promoted(name)])),
        },
      };
    case "azure-native:resources:ResourceGroup":
      return {
        ...state,
        name: inputs.resourceGroupName,
        id: `${subscription}/resourceGroups/${inputs.resourceGroupName}`,
      };
    case "azure-native:managedidentity:UserAssignedIdentity":
      return {
        ...state,
        principalId: `principal-of-${inputs.resourceName}`,
        clientId: `client-of-${inputs.resourceName}`,
      };
    case "azure-native:containerservice:ManagedCluster":
      return {
        ...state,
        name: inputs.resourceName,
        networkProfile: {
          ...inputs.networkProfile,
          loadBalancerProfile: {
            effectiveOutboundIPs: [
              {
                id: `${subscription}/resourceGroups/nodes/providers/Microsoft.Network/publicIPAddresses/out`,
              },
            ],
          },
        },
        ingressProfile: {
          webAppRouting: {
            ...inputs.ingressProfile?.webAppRouting,
            identity: { objectId: "principal-of-app-routing" },
          },
        },
        oidcIssuerProfile: { enabled: true, issuerURL: "https://issuer.example/tenant/cluster/" },
      };
    case "azure-native:containerregistry:Registry":
      return { ...state, name: inputs.registryName, loginServer: `${inputs.registryName}.azurecr.io` };
    case "azure-native:dbforpostgresql:Server":
      return { ...state, fullyQualifiedDomainName: `${inputs.serverName}.postgres.database.azure.com` };
    case "azure-native:containerregistry:Token":
      return { ...state, name: inputs.tokenName };
    case "pulumi-nodejs:dynamic:Resource":
      return { ...state, password: `password-of-${inputs.token}` };
    default:
      return state;
  }
}

const subscription = "/subscriptions/00000000-0000-0000-0000-000000000001";

/** Azure's ids say where a resource is; everything else is called by its logical name. */
function idOf({ type, name, inputs }: pulumi.runtime.MockResourceArgs): string {
  if (!type.startsWith("azure-native:")) return name;
  const [, module, kind] = type.split(":");
  return kind === "ResourceGroup"
    ? `${subscription}/resourceGroups/${inputs.resourceGroupName}`
    : `${subscription}/resourceGroups/group/providers/Microsoft.${module}/${kind}/${name}`;
}

/** What Azure answers to a call. */
export function answer({ token, inputs }: pulumi.runtime.MockCallArgs): Record<string, unknown> {
  const kubeconfig =
    "clusters: [{name: aks, cluster: {server: 'https://aks.example:443', certificate-authority-data: Q0E=}}]";
  switch (token) {
    case "azure-native:containerservice:listManagedClusterUserCredentials":
      return { kubeconfigs: [{ name: "clusterUser", value: Buffer.from(kubeconfig).toString("base64") }] };
    case "azure-native:network:getPublicIPAddress":
      return { ipAddress: inputs.publicIpAddressName === "out" ? "198.51.100.9" : undefined };
    case "azure-native:authorization:getClientConfig":
      return {
        subscriptionId: subscription.split("/")[2],
        tenantId: "tenant",
        clientId: "deployer",
        objectId: "deployer",
      };
    case "azure-native:keyvault:getSecret": {
      const { vaultName, secretName } = inputs as { vaultName: string; secretName: string };
      return {
        properties: {
          secretUriWithVersion: `https://${vaultName}.vault.azure.net/secrets/${secretName}/version-1`,
        },
      };
    }
    case "azure-native:containerregistry:listRegistryCredentials":
      return { username: "admin-user", passwords: [{ name: "password", value: "admin-password" }] };
    default:
      throw new Error(`unexpected call of ${token}`);
  }
}

/** What the stack that another one promotes has proved of a workload. */
export function promoted(name: string) {
  return { reference: `registry.example/slipway/${name}@sha256:${"1".repeat(64)}`, version: "4711" };
}

/**
 * Runs the program of a stack with this configuration and records every resource that it registers.
 *
 * @param call what Azure answers to calls, where it is not the usual
 * @param resources is given them as they are registered, for a run that fails
 */
export async function runProgram(
  stack: string,
  config: RawConfig = stackConfig(stack),
  call: typeof answer = answer,
  resources: Registered[] = [],
): Promise<Run> {
  const outputs = await evaluateProgram({
    project: "slipway",
    stack,
    config,
    mocks: {
      newResource: (args) => {
        const { type, name, provider, inputs } = args;
        resources.push({
          type,
          name,
          ...(provider ? { provider: provider.split("::").at(-2) ?? "" } : {}),
          inputs: withoutProgram(showSecrets(inputs) as Record<string, unknown>),
        });
        return { id: idOf(args), state: stateOf(args) };
      },
      call,
    },
  });
  resources.sort((a, b) => (`${a.type} ${a.name}` < `${b.type} ${b.name}` ? -1 : 1));
  return { resources, outputs };
}
