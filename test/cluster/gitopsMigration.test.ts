import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { clients } from "../support/cluster.ts";
import { embeddedCluster, ManifestsClone, refresh, startGitops } from "../support/gitops.ts";
import { GitopsStack } from "../support/gitopsStack.ts";

const stack = "test-gitops-migration";
const migration = "app/api/migrations/20991101090000_broken.sql";
const needsVisit =
  "DO $$ BEGIN IF NOT EXISTS (SELECT FROM visits) THEN RAISE 'nobody came'; END IF; END $$;\n";
const api = { replicas: 1, rolloutDeadlineSeconds: 60 };
let gitops: GitopsStack;
let manifests: ManifestsClone;

beforeAll(async () => {
  await startGitops();
  gitops = new GitopsStack(stack, { api: 30798, frontend: 30797 });
  gitops.configure("First", api);
  await gitops.deliver();
  manifests = new ManifestsClone();
});

afterAll(async () => {
  await gitops.remove();
  manifests.remove();
});

/** What the api's Deployment has been told to run. */
const revision = async () =>
  (await clients().apps.readNamespacedDeployment({ namespace: stack, name: "api" })).metadata?.annotations?.[
    "deployment.kubernetes.io/revision"
  ];

test("a migration that fails stops the release, with its log, and however often Argo CD tries", async () => {
  const before = await revision();
  gitops.workspace.write(migration, needsVisit);
  gitops.configure("Second", api);
  expect(await gitops.deliverInVain()).toContain("log: nobody came");
  // Longer than all of its retries.
  await sleep(30_000);
  expect(await revision()).toBe(before);
  await gitops.greets("First");
});

test("the next commit of something else does not go past it", async () => {
  const before = await revision();
  const configMap = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "beside", namespace: stack },
    data: { key: "value" },
  };
  const commit = manifests.commit({ [`${stack}/beside/configmap.yaml`]: JSON.stringify(configMap) });
  await refresh(embeddedCluster(), stack, commit);
  await sleep(30_000);
  expect(await revision()).toBe(before);
  await gitops.greets("First");
});

test("the same release again runs the migration again, and its pods start once that has succeeded", async () => {
  const response = await fetch(`${gitops.api}/api/visits`, { method: "POST" });
  expect(response.ok).toBe(true);
  await gitops.deliver();
  await gitops.greets("Second");
});

test("a migration that is corrected is another one, which runs", async () => {
  const next = "app/api/migrations/20991101090001_next.sql";
  gitops.workspace.write(next, "ALTER TABLE visitors ADD COLUMN name text;\n");
  gitops.configure("Third", api);
  expect(await gitops.deliverInVain()).toContain('log: relation "visitors" does not exist');
  gitops.workspace.write(next, "ALTER TABLE visits ADD COLUMN name text;\n");
  await gitops.deliver();
  await gitops.greets("Third");
});
