import type * as kubernetes from "@pulumi/kubernetes";
import { expect, test } from "vitest";
import { InputError } from "../../infra/config/error.ts";
import type { Exposure } from "../../infra/config/exposure.ts";
import { requireExposable } from "../../infra/delivery/exposure.ts";
import type { Platform } from "../../infra/platform/index.ts";

const clusterIp: Exposure = { type: "ClusterIP" };
const nodePort: Exposure = { type: "NodePort" };
const loadBalancer: Exposure = { type: "LoadBalancer", port: 80, internal: false };

function messageOf(exposures: { readonly [workload: string]: Exposure }, what: object): string {
  const cluster = { provider: {} as kubernetes.Provider, ...what } as Platform["cluster"];
  try {
    requireExposable(exposures, cluster);
    return "accepted";
  } catch (error) {
    expect(error).toBeInstanceOf(InputError);
    return (error as InputError).message;
  }
}

const everything = { api: nodePort, frontend: loadBalancer, worker: clusterIp };

test("a platform with reachable nodes and load balancers gives every exposure", () => {
  expect(messageOf(everything, { nodeAddress: "192.0.2.7", loadBalancers: true })).toBe("accepted");
});

test("a NodePort is refused where nodes have no address, and nothing else is", () => {
  expect(messageOf(everything, { loadBalancers: true })).toBe(
    'slipway:exposure.api.type = "NodePort": has no address on this platform: its nodes cannot be reached from outside. Use LoadBalancer.',
  );
});

test("a load balancer is refused where nobody provides one, and nothing else is", () => {
  expect(messageOf(everything, { nodeAddress: "127.0.0.1", loadBalancers: false })).toBe(
    'slipway:exposure.frontend.type = "LoadBalancer": never gets an address here: the embedded environment has no load balancer. Use NodePort.',
  );
});

test("every workload that cannot be exposed is named", () => {
  expect(messageOf({ api: nodePort, frontend: nodePort }, { loadBalancers: true }).split("\n")).toHaveLength(
    2,
  );
});
