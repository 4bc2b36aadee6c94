import { describe, expect, test } from "vitest";
import { InputError } from "../../infra/config/error.ts";
import { type Exposure, exposure } from "../../infra/config/exposure.ts";
import { parseStackConfig } from "../../infra/config/parse.ts";
import { namedUrl } from "../../infra/delivery/url.ts";

const azure = { kind: "azure", location: "westeurope", cluster: { kubernetesVersion: "1.34" } };
const routed = {
  ...azure,
  cluster: { ...azure.cluster, appRouting: {} },
  keyVaults: { "kv-team": { kind: "existing", resourceGroup: "rg-team" } },
};
const shared = { kind: "shared", stack: "organization/slipway/dev" };
const host = (name: string) => ({ type: "Ingress", host: name, tls: { keyVault: "kv-team/shop" } });
const embedded = { kind: "local" };
const own = { kind: "local", context: "kind-kind", registry: { server: "localhost:5001" } };

function messageOf(platform: object, exposure: object): string {
  try {
    parseStackConfig({ platform, exposure }, { stack: "dev", workloads: ["api", "frontend"] });
    return "accepted";
  } catch (error) {
    expect(error).toBeInstanceOf(InputError);
    return (error as InputError).message;
  }
}

test.each([
  ["Azure", "LoadBalancer", azure],
  ["the embedded environment", "NodePort", embedded],
  ["a cluster of one's own", "NodePort", own],
  ["a cluster of one's own", "LoadBalancer", own],
])("%s takes %s", (_, type, platform) => {
  expect(messageOf(platform, { api: { type }, frontend: { type: "ClusterIP" } })).toBe("accepted");
});

test("a NodePort is refused where nodes have no address, for every workload that asks for one", () => {
  const rule = "has no address on this platform: its nodes cannot be reached from outside. Use LoadBalancer.";
  expect(messageOf(azure, { api: { type: "NodePort" }, frontend: { type: "NodePort" } })).toBe(
    `slipway:exposure.api.type = "NodePort": ${rule}\nslipway:exposure.frontend.type = "NodePort": ${rule}`,
  );
});

test("a load balancer is refused where nobody provides one", () => {
  expect(messageOf(embedded, { api: { type: "LoadBalancer" }, frontend: { type: "NodePort" } })).toBe(
    'slipway:exposure.api.type = "LoadBalancer": never gets an address here: the embedded environment has no load balancer. Use NodePort.',
  );
});

test("a host name is taken where AKS routes it, with a certificate from a Key Vault", () => {
  expect(messageOf(routed, { api: host("api.example.com") })).toBe("accepted");
});

describe("is refused, with its key, the value and the rule", () => {
  const keyVault = { "kv-team": { kind: "existing", resourceGroup: "rg-team" } };
  const name =
    "must be 3 to 63 lower-case letters, digits and dashes, a letter first and no dash at the end.";

  test.each<[what: string, platform: object, exposures: object, message: string]>([
    [
      "a host name where application routing is off",
      { ...azure, keyVaults: keyVault },
      { api: host("api.example.com") },
      'slipway:exposure.api.type = "Ingress": needs the application routing of AKS, which is off. Set slipway:platform.cluster.appRouting: {}.',
    ],
    [
      "a host name without a vault for its certificate",
      { ...routed, keyVaults: undefined },
      { api: host("api.example.com") },
      'slipway:exposure.api.tls.keyVault = "kv-team/shop": names a Key Vault that slipway:platform.keyVaults does not have. Add the vault there, or correct its name.',
    ],
    [
      "a host name that is none",
      routed,
      { api: host("https://api.example.com") },
      'slipway:exposure.api.host = "https://api.example.com": must be a host name in lower case, such as shop.example.com.',
    ],
    [
      "one host name for two workloads",
      routed,
      { api: host("shop.example.com"), frontend: host("shop.example.com") },
      'slipway:exposure.frontend.host = "shop.example.com": is used twice: exposure.api.host has it too. Give each workload a host name of its own.',
    ],
    [
      "a DNS zone that is not one",
      { ...routed, cluster: { ...routed.cluster, appRouting: { dnsZones: ["example.com"] } } },
      {},
      'slipway:platform.cluster.appRouting.dnsZones[0] = "example.com": must be the resource id of a DNS zone: az network dns zone show --query id.',
    ],
    [
      "a DNS label that Azure would refuse",
      azure,
      { api: { type: "LoadBalancer", dnsLabel: "Shop" } },
      `slipway:exposure.api.dnsLabel = "Shop": ${name}`,
    ],
    [
      "a DNS label of an internal address",
      azure,
      { api: { type: "LoadBalancer", dnsLabel: "shop", internal: true } },
      'slipway:exposure.api.dnsLabel = "shop": cannot be set with internal: Azure names public addresses only. Remove one of them.',
    ],
    [
      "a DNS label where Azure is not",
      own,
      { api: { type: "LoadBalancer", dnsLabel: "shop" } },
      'slipway:exposure.api.dnsLabel = "shop": is a name that Azure gives, and a local platform does not. Remove it.',
    ],
    [
      "one DNS label for two workloads",
      azure,
      {
        api: { type: "LoadBalancer", dnsLabel: "shop" },
        frontend: { type: "LoadBalancer", dnsLabel: "shop" },
      },
      'slipway:exposure.frontend.dnsLabel = "shop": is used twice: exposure.api.dnsLabel has it too. Give each workload a name of its own.',
    ],
  ])("%s", (_, platform, exposures, message) => {
    expect(messageOf(platform, exposures)).toBe(message);
  });

  test.each([
    ["the embedded environment", embedded],
    ["a cluster of one's own", own],
  ])("a host name on %s", (_, platform) => {
    expect(messageOf(platform, { api: host("api.example.com") }).split("\n")[0]).toBe(
      'slipway:exposure.api.type = "Ingress": needs the application routing of AKS, which a local platform does not have. Use NodePort.',
    );
  });
});

describe("the URL of an exposure with a name of its own", () => {
  const labelled = { type: "LoadBalancer", dnsLabel: "shop" };

  test.each<[rule: string, given: object, location: string | undefined, url: string | undefined]>([
    ["is the host name's, by HTTPS", host("shop.example.com"), undefined, "https://shop.example.com"],
    ["is made of label and region", labelled, "westeurope", "http://shop.westeurope.cloudapp.azure.com"],
    [
      "has the load balancer's port",
      { ...labelled, port: 8080 },
      "westeurope",
      "http://shop.westeurope.cloudapp.azure.com:8080",
    ],
    ["needs the region", labelled, undefined, undefined],
    ["is not there for an address that Azure picks", { type: "LoadBalancer" }, "westeurope", undefined],
    ["is not there for a NodePort", { type: "NodePort", nodePort: 30080 }, "westeurope", undefined],
    ["is not there inside the cluster", { type: "ClusterIP" }, "westeurope", undefined],
  ])("%s", (_, given, location, url) => {
    expect(namedUrl(exposure.parse(given) as Exposure, { location })).toBe(url);
  });
});

test("a stack on another one's cluster takes host names and DNS labels", () => {
  const platform = { ...shared, keyVaults: routed.keyVaults };
  const exposures = { api: host("api.example.com"), frontend: { type: "LoadBalancer", dnsLabel: "shop" } };
  expect(messageOf(platform, exposures)).toBe("accepted");
});
