import { afterAll, beforeAll, expect, test } from "vitest";
import type { Cluster } from "../../local/deliver/cluster.ts";
import { type Clients, clients } from "../support/cluster.ts";
import {
  applicationStatus,
  embeddedCluster,
  ManifestsClone,
  refresh,
  startGitops,
} from "../support/gitops.ts";
import { GitopsStack } from "../support/gitopsStack.ts";

const stack = "test-gitops-failure";
let gitops: GitopsStack;
let kube: Clients;
let cluster: Cluster;
let manifests: ManifestsClone;

beforeAll(async () => {
  await startGitops();
  kube = clients();
  cluster = embeddedCluster();
  gitops = new GitopsStack(stack, { api: 30786, frontend: 30785 });
  gitops.configure("First");
  await gitops.deliver();
  manifests = new ManifestsClone();
});

afterAll(async () => {
  await gitops.remove();
  manifests.remove();
});

const configMap = (name: string, namespace: string) => `apiVersion: v1
kind: ConfigMap
metadata:
  name: ${name}
  namespace: ${namespace}
data:
  colour: green
`;

test.each([
  ["in another namespace", configMap("stray", "default")],
  ["of the cluster", "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: test-gitops-failure-stray\n"],
  [
    "of a kind that is not rendered",
    `apiVersion: v1\nkind: Secret\nmetadata:\n  name: stray\n  namespace: ${stack}\n`,
  ],
])("an object %s is refused, and the pods keep serving", async (_, content) => {
  const commit = manifests.commit({ [`${stack}/stray.yaml`]: content });
  try {
    await refresh(cluster, stack, commit);
    await expect
      .poll(async () => JSON.stringify(await applicationStatus(cluster, stack)), { timeout: 30_000 })
      .toMatch(/not permitted in project/);
    await gitops.greets("First");
  } finally {
    await refresh(cluster, stack, manifests.revert(commit));
  }
  const reads = [
    kube.core.readNamespacedConfigMap({ namespace: "default", name: "stray" }),
    kube.core.readNamespace({ name: "test-gitops-failure-stray" }),
    kube.core.readNamespacedSecret({ namespace: stack, name: "stray" }),
  ];
  for (const read of reads) await expect(read).rejects.toThrow();
});
