import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Released } from "../../infra/gitops/release.ts";
import { readGitopsDescriptor } from "../../local/gitops/descriptor.ts";
import { clients, getGreeting, stackObjects } from "../support/cluster.ts";
import { applicationStatus, embeddedCluster, ManifestsClone, startGitops } from "../support/gitops.ts";
import { PulumiStack, pulumiCommand } from "../support/pulumi.ts";
import { Workspace } from "../support/workspace.ts";

const stack = "test-engine-gitops";
const api = "http://127.0.0.1:30796";
const gitops = { kind: "gitops", engine: "argocd" };

describe.skipIf(pulumiCommand === undefined)("pulumi, on a stack that is delivered by GitOps", () => {
  let workspace: Workspace;
  let pulumi: PulumiStack;
  let manifests: ManifestsClone;

  function configure(delivery: object, api: object = {}): void {
    workspace.configure({
      platform: { kind: "local" },
      exposure: {
        frontend: { type: "NodePort", nodePort: 30795 },
        api: { type: "NodePort", nodePort: 30796 },
      },
      workloads: { api },
      delivery,
    });
  }

  beforeAll(async () => {
    await startGitops();
    workspace = new Workspace(stack);
    configure(gitops);
    pulumi = new PulumiStack(workspace);
    await pulumi.init();
    await pulumi.up();
    manifests = new ManifestsClone();
  });

  afterAll(async () => {
    await pulumi.destroy();
    await workspace.run("destroy", "--deliver", "direct");
    workspace.remove();
    manifests.remove();
    pulumi.remove();
  });

  const pods = async () =>
    (await clients().core.listNamespacedPod({ namespace: stack })).items
      .map(({ metadata }) => metadata?.uid)
      .sort();

  test("up: the workloads are committed, synced at that commit and served", async () => {
    const { commit, proposed } = (await pulumi.output(stack, "release")) as Released;
    expect(proposed).toBe(false);
    manifests.pull();
    expect(manifests.git("log", "-1", "--format=%H", "--", stack)).toBe(commit);
    expect(await applicationStatus(embeddedCluster(), stack)).toMatchObject({
      sync: { status: "Synced", revision: commit },
      health: { status: "Healthy" },
    });
    expect(await getGreeting(api)).toMatchObject({ text: "Hello from Slipway" });
  });

  test("preview: nothing changed means no step but same", async () => {
    expect(Object.keys(await pulumi.preview())).toEqual(["same"]);
  });

  test("state keeps the keys of the repository encrypted", async () => {
    const state = await pulumi.run("stack", "export", "--stack", stack);
    const { pushKey, pullKey } = readGitopsDescriptor().repository;
    expect(state).not.toContain("PRIVATE KEY");
    for (const key of [pushKey, pullKey]) expect(state).not.toContain(Buffer.from(key).toString("base64"));
  });

  test("a change updates the commit and its release, and its preview shows the files, and is served after it", async () => {
    configure(gitops, { env: { GREETING: "Changed by Pulumi" } });
    expect(await pulumi.preview()).toMatchObject({ update: 2 });
    const diff = await pulumi.run("preview", "--diff", "--stack", stack);
    expect(diff).toContain(`${stack}/api/deployment.yaml`);
    expect(diff).not.toContain("PRIVATE KEY");
    await pulumi.up();
    expect(await getGreeting(api)).toMatchObject({ text: "Changed by Pulumi" });
  });

  test("pods that never get ready fail the update with their last words, and the old ones serve", async () => {
    configure(gitops, { env: { GREETING: "Changed by Pulumi", PORT: "http" }, rolloutDeadlineSeconds: 10 });
    await expect(pulumi.up()).rejects.toThrow(/log: .*PORT/);
    expect(await getGreeting(api)).toMatchObject({ text: "Changed by Pulumi" });
    configure(gitops, { env: { GREETING: "Changed by Pulumi" } });
    await pulumi.up();
  });

  test("prOnly proposes a change and delivers nothing; what was delivered goes on", async () => {
    const changed = { env: { GREETING: "Proposed" } };
    configure({ ...gitops, prOnly: true }, changed);
    await pulumi.up();
    const { branch, proposed } = (await pulumi.output(stack, "release")) as Released;
    expect(proposed).toBe(true);
    manifests.git("fetch", "--quiet", "origin", branch);
    expect(manifests.git("show", `FETCH_HEAD:${stack}/api/deployment.yaml`)).toContain("Proposed");
    expect(await getGreeting(api)).toMatchObject({ text: "Changed by Pulumi" });
    configure(gitops, { env: { GREETING: "Changed by Pulumi" } });
    await pulumi.up();
  });

  test("the cluster lost: one command brings everything back from Git, registry and state", async () => {
    const { core } = clients();
    for (const name of [stack, "argocd"]) await core.deleteNamespace({ name });
    await expect
      .poll(
        async () => {
          const { items } = await core.listNamespace();
          return items.filter(({ metadata }) => [stack, "argocd"].includes(metadata?.name ?? "")).length;
        },
        { timeout: 120_000 },
      )
      .toBe(0);
    await pulumi.run("up", "--yes", "--skip-preview", "--refresh", "--stack", stack);
    await expect
      .poll(async () => (await getGreeting(api).catch(() => undefined))?.text, { timeout: 60_000 })
      .toBe("Changed by Pulumi");
  });

  test("to push and back, by one deployment with handover between: no pod is restarted, no object deleted", async () => {
    const settings = { env: { GREETING: "Changed by Pulumi" } };
    const [before, objects] = [await pods(), [...(await stackObjects(clients(), stack)).keys()].sort()];
    for (const delivery of [
      { kind: "push", handover: true },
      { kind: "push" },
      { kind: "push", handover: true },
      gitops,
    ]) {
      configure(delivery, settings);
      await pulumi.up();
      expect(await pods()).toEqual(before);
    }
    expect([...(await stackObjects(clients(), stack)).keys()].sort()).toEqual(objects);
    expect(await applicationStatus(embeddedCluster(), stack)).toMatchObject({
      health: { status: "Healthy" },
    });
  });
});
