import { expect, test } from "vitest";
import { InputError } from "../../infra/config/error.ts";
import { parseStackConfig } from "../../infra/config/parse.ts";

const azure = { kind: "azure", location: "westeurope", cluster: { kubernetesVersion: "1.34" } };
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
