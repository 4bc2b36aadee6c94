import { expect, test, vi } from "vitest";
import { runProgram } from "../support/program.ts";

vi.mock("../../local/descriptor.ts", async (original) => ({
  ...(await original<object>()),
  readDescriptor: () => ({
    kubeconfig: new URL("../support/kubeconfig.yaml", import.meta.url).pathname,
    context: "slipway",
    docker: { host: "unix:///run/slipway/docker.sock", network: "host" },
    registry: { server: "127.0.0.1:5000", username: "slipway", password: "registry-password" },
    baseImage: "slipway/node:24",
    postgresImage: `127.0.0.1:5000/slipway/postgres@sha256:${"2".repeat(64)}`,
    address: "127.0.0.1",
  }),
}));
vi.mock("../../infra/platform/reachable.ts", () => ({
  requireCluster: async () => {},
  requireRegistry: async () => {},
}));
vi.mock("../../infra/platform/reader.ts", () => ({ clusterReader: () => async () => undefined }));
vi.mock("../../infra/database/key.ts", async (original) => ({
  ...(await original<object>()),
  databaseKey: async () => "dGVzdA==",
}));
vi.mock("../../infra/platform/azure/login.ts", () => ({ requireAzureLogin: async () => {} }));
vi.mock("../../infra/images/buildNumber.ts", () => ({ buildNumber: () => "0123456789" }));

// A change here is a change of what a stack gets: read the diff, then `npm run test:unit -- -u`.
test.each(["local", "dev", "prod"])(
  "the %s stack registers these resources, with these inputs and secrets",
  async (stack) => {
    const { resources, outputs } = await runProgram(stack);
    const root = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");
    const text = JSON.stringify({ resources, outputs: Object.keys(outputs).sort() }, null, 2).replaceAll(
      root,
      "<root>",
    );
    await expect(`${text}\n`).toMatchFileSnapshot(`golden/${stack}.golden.json`);
  },
);
