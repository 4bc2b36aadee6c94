import { expect, test, vi } from "vitest";
import { evaluateProgram } from "../../local/deliver/evaluate.ts";

vi.mock("../../infra/platform/reachable.ts", () => ({
  requireCluster: async () => {},
  requireRegistry: async () => {},
}));
vi.mock("../../infra/platform/reader.ts", () => ({
  clusterReader: () => async (_: string, kind: string) =>
    kind === "Secret" ? { data: { key: "dGVzdA==" } } : undefined,
}));

// In a file of its own: what the failed run leaves behind in the SDK would reach the next one.
test("a promotion from a stack that runs no such image is refused, and no Deployment is touched", async () => {
  const touched: string[] = [];
  const evaluation = evaluateProgram({
    project: "slipway",
    stack: "dev",
    config: {
      "slipway:platform": {
        kind: "local",
        context: "slipway",
        kubeconfig: new URL("../support/kubeconfig.yaml", import.meta.url).pathname,
        registry: { server: "registry.example" },
      },
      "slipway:exposure": { api: { type: "NodePort" }, frontend: { type: "NodePort" } },
      "slipway:images": { source: "promote", stack: "organization/slipway/staging" },
    },
    mocks: {
      newResource: ({ type, name, inputs }) => {
        if (type === "kubernetes:apps/v1:Deployment") touched.push(name);
        return { id: name, state: { ...inputs, outputs: {} } };
      },
      call: () => ({}),
    },
  });
  await expect(evaluation).rejects.toThrow(
    /slipway:images\.stack = "organization\/slipway\/staging": has no image of \w+ to promote\. Deploy organization\/slipway\/staging first\.$/,
  );
  expect(touched).toEqual([]);
});
