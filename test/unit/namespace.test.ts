import { expect, test, vi } from "vitest";
import { runProgram } from "../support/program.ts";

vi.mock("../../infra/platform/reachable.ts", () => ({
  requireCluster: async () => {},
  requireRegistry: async () => {},
}));
vi.mock("../../infra/platform/reader.ts", () => ({
  clusterReader: () => async (_: string, kind: string) =>
    kind === "Secret" ? { data: { key: "dGVzdA==" } } : undefined,
}));
vi.mock("../../infra/images/buildNumber.ts", () => ({ buildNumber: () => "0123456789" }));

async function namespaceObjects(extra: { readonly [key: string]: unknown }) {
  const { resources } = await runProgram("review", {
    "slipway:platform": {
      kind: "local",
      context: "slipway",
      kubeconfig: new URL("../support/kubeconfig.yaml", import.meta.url).pathname,
      registry: { server: "registry.example" },
    },
    "slipway:exposure": { api: { type: "NodePort" }, frontend: { type: "NodePort" } },
    ...extra,
  });
  const own = resources.filter(({ name }) => name.startsWith("stack-"));
  return new Map(own.map(({ name, inputs }) => [name, inputs as Record<string, never>]));
}

test("no pod of another stack reaches this one, nor is reached, but for what the workloads' policies let through", async () => {
  const objects = await namespaceObjects({});
  expect(objects.get("stack-default-deny")).toMatchObject({
    spec: { podSelector: {}, policyTypes: ["Ingress", "Egress"] },
  });
});

test("a stack that expires says so in its namespace, which is not kept", async () => {
  const objects = await namespaceObjects({ "slipway:expires": "2100-01-01T07:30:00Z" });
  expect(objects.get("stack-namespace")).toHaveProperty("metadata.annotations", {
    "slipway.dev/expires": "2100-01-01T07:30:00Z",
  });
});

test("a stack without quota and deployers has neither", async () => {
  expect([...(await namespaceObjects({})).keys()]).toEqual(["stack-namespace", "stack-default-deny"]);
});

test("a quota limits the namespace and gives containers that name no resources the defaults it asks for", async () => {
  const objects = await namespaceObjects({ "slipway:quota": { cpu: "2", memory: "4Gi", pods: 20 } });
  expect(objects.get("stack-quota")).toMatchObject({
    spec: { hard: { "requests.cpu": "2", "limits.memory": "4Gi", pods: "20" } },
  });
  expect(objects.get("stack-defaults")).toMatchObject({
    spec: { limits: [{ type: "Container", defaultRequest: { cpu: "50m" }, default: { memory: "256Mi" } }] },
  });
});

test("deployers may edit what is in the namespace, and nothing outside it", async () => {
  const objects = await namespaceObjects({ "slipway:deployers": ["team-a"] });
  expect(objects.get("stack-deployers")).toMatchObject({
    metadata: { namespace: "review" },
    roleRef: { kind: "ClusterRole", name: "edit" },
    subjects: [{ kind: "Group", name: "team-a" }],
  });
});
