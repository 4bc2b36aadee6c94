import "../support/offline.ts";
import { join } from "node:path";
import { expect, test } from "vitest";
import { houseRules } from "../../infra/policy/rules.ts";
import { root } from "../../infra/projectRoot.ts";
import { customizeRollouts, loadRolloutsManifests } from "../../infra/rollouts/manifests.ts";
import { runProgram } from "../support/program.ts";

const file = new URL("../support/rollouts-install.yaml", import.meta.url).pathname;
const owner = { "slipway.dev/owner": "shop.dev" };

test("a release's manifests are put into their namespace, under its own version, and marked as their owner's", async () => {
  const objects = customizeRollouts(
    await loadRolloutsManifests({ manifests: file }),
    { version: "v1.10.2" },
    owner,
  );
  expect(objects.map(({ kind, metadata }) => [kind, metadata.namespace, metadata.labels])).toEqual([
    ["CustomResourceDefinition", undefined, owner],
    ["ServiceAccount", "argo-rollouts", owner],
    ["ClusterRoleBinding", undefined, owner],
    ["Deployment", "argo-rollouts", owner],
  ]);
  expect(JSON.stringify(objects.at(-1))).toContain('"image":"quay.io/argoproj/argo-rollouts:v1.10.2"');
  expect(JSON.stringify(objects.at(-1))).not.toContain("Always");
});

test("an image of one's own takes the place of the release's", async () => {
  const image = "registry.example/argo-rollouts@sha256:0";
  const objects = customizeRollouts(await loadRolloutsManifests({ manifests: file }), { image }, owner);
  expect(JSON.stringify(objects.at(-1))).toContain(image);
});

test("a relative path is one of the project's root, in whichever directory Pulumi runs the program", async () => {
  const before = process.cwd();
  process.chdir(join(root, "infra"));
  try {
    const objects = await loadRolloutsManifests({ manifests: "test/support/rollouts-install.yaml" });
    expect(objects).not.toEqual([]);
  } finally {
    process.chdir(before);
  }
});

test("a file that is not there, or is something else's, is named by its key", async () => {
  await expect(loadRolloutsManifests({ manifests: "/none.yaml" })).rejects.toThrow(
    "slipway:rollouts.install.manifests",
  );
  const other = new URL("../support/argocd-install.yaml", import.meta.url).pathname;
  await expect(loadRolloutsManifests({ manifests: other })).rejects.toThrow(
    "is no manifest of Argo Rollouts: it does not define Rollouts",
  );
});

test("a stack brings the controller where a workload needs it, keeps the house rules, and brings it nowhere else", async () => {
  const config = (strategy: object, rollouts: object = { install: { manifests: file } }) => ({
    "slipway:platform": {
      kind: "local",
      context: "slipway",
      kubeconfig: new URL("../support/kubeconfig.yaml", import.meta.url).pathname,
      registry: { server: "registry.example" },
    },
    "slipway:exposure": { api: { type: "NodePort" }, frontend: { type: "NodePort" } },
    "slipway:rollouts": rollouts,
    "slipway:workloads": { frontend: { strategy } },
  });
  const blueGreen = { kind: "blueGreen", analysis: { kind: "web", path: "/readyz" } };
  const { resources } = await runProgram("dev", config(blueGreen));
  const names = resources.map(({ type, name }) => `${type.split(":").at(-1)} ${name}`);
  expect(names).toEqual(
    expect.arrayContaining([
      "ArgoRollouts rollouts-controller",
      "Deployment rollouts-controller-deployment-argo-rollouts",
      "Deployment api-deployment",
      "Rollout frontend-rollout",
    ]),
  );
  const broken = resources.flatMap(({ type, inputs }) =>
    houseRules.flatMap(({ violations }) => violations({ type, props: inputs })),
  );
  expect(broken).toEqual([]);
  const hasController = async (strategy: object, rollouts?: object) =>
    (await runProgram("dev", config(strategy, rollouts))).resources.some(({ type }) =>
      type.endsWith("ArgoRollouts"),
    );
  expect(await hasController({ kind: "rolling" })).toBe(false);
  expect(await hasController(blueGreen, { install: null })).toBe(false);
});
