import { vi } from "vitest";

// What the program finds around it, for tests that run it where there is nothing: an embedded environment, a cluster
// and a registry that answer, somebody who is signed in to Azure. Import it before what is tested.

vi.mock("../../local/descriptor.ts", async (original) => ({
  ...(await original<object>()),
  readDescriptor: () => ({
    kubeconfig: new URL("kubeconfig.yaml", import.meta.url).pathname,
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
