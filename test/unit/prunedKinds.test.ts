import "../support/offline.ts";
import { expect, test, vi } from "vitest";
import type { KubeObject } from "../../infra/cluster/cluster.ts";
import { stackConfig } from "../../local/deliver/project.ts";
import { prunedKinds } from "../../local/deliver/prune.ts";
import { runProgram } from "../support/program.ts";

/** An application whose workloads use everything that a definition can have. */
vi.mock("../../infra/application.ts", async () => {
  const { minimal } = await import("../support/release.ts");
  const workload = {
    ...minimal,
    config: { mountPath: "/config", files: { "a.txt": "a" } },
    secretEnv: ["TOKEN"],
    metrics: { path: "/metrics", port: "http", requests: "requests" },
    database: { migrate: ["migrate"] },
  };
  return { application: { api: workload, frontend: workload } };
});
vi.mock("../../infra/images/buildNumber.ts", () => ({
  buildNumber: () => "0123456789",
  sourceCommit: () => "c".repeat(40),
}));

const flux = {
  kind: "gitops",
  engine: "flux",
  repository: {
    url: "ssh://git@git.example/team/manifests.git",
    ssh: { knownHosts: "git.example ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJqm", pushKey: "A", pullKey: "B" },
  },
  install: null,
};
const argocd = {
  ...flux,
  engine: "argocd",
  install: { manifests: new URL("../support/argocd-install.yaml", import.meta.url).pathname },
};
const analysis = { kind: "web", path: "/readyz" };

/** The kinds that the local stack has in namespaces of its own, with everything that its configuration can have. */
async function kindsWith(delivery: object): Promise<string[]> {
  const { resources } = await runProgram("local", {
    ...stackConfig("local"),
    "slipway:delivery": delivery,
    "slipway:quota": { cpu: "2", memory: "4Gi", pods: 20 },
    "slipway:deployers": ["team-a"],
    "slipway:observability": { prometheus: { kind: "existing" } },
    "slipway:secrets": { api: { TOKEN: "x" }, frontend: { TOKEN: "x" } },
    "slipway:rollouts": { install: null },
    "slipway:workloads": {
      api: { autoscaling: { minReplicas: 1, maxReplicas: 2 } },
      frontend: { strategy: { kind: "blueGreen", analysis } },
    },
  });
  const objects = resources
    .filter(({ type }) => type.startsWith("kubernetes:"))
    .map(({ inputs }) => inputs as unknown as KubeObject);
  return objects
    .filter(({ metadata }) => metadata.namespace === "local")
    .map(({ apiVersion, kind }) => `${apiVersion} ${kind}`);
}

test("direct delivery prunes every kind that the program can put into a stack's namespace, and no other", async () => {
  const kinds = [
    ...(await kindsWith({ kind: "push" })),
    ...(await kindsWith(argocd)),
    ...(await kindsWith(flux)),
  ];
  expect(prunedKinds.map(([apiVersion, kind]) => `${apiVersion} ${kind}`).sort()).toEqual(
    [...new Set(kinds)].sort(),
  );
});
