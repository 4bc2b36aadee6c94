import { afterAll, beforeAll, expect, test } from "vitest";
import { ManifestsClone, startGitops } from "../support/gitops.ts";
import { GitopsStack } from "../support/gitopsStack.ts";

const stack = "test-gitops-atomic";
const delivery = { kind: "gitops", engine: "argocd", atomic: true };
let gitops: GitopsStack;
let manifests: ManifestsClone;

beforeAll(async () => {
  await startGitops();
  gitops = new GitopsStack(stack, { api: 30796, frontend: 30795 });
  gitops.configure("First", { replicas: 1, rolloutDeadlineSeconds: 20 }, delivery);
  await gitops.deliver();
  manifests = new ManifestsClone();
});

afterAll(async () => {
  await gitops.remove();
  manifests.remove();
});

test("a release that fails is reverted in the repository, which runs when the command ends", async () => {
  const commits = manifests.commits(stack);
  const broken = { replicas: 1, rolloutDeadlineSeconds: 20, env: { PORT: "http" } };
  gitops.configure("Second", broken, delivery);
  const output = await gitops.deliverInVain();
  expect(output).toMatch(/log: .*PORT="http": must be a whole number/);
  expect(output).toMatch(/the release before was put back: [0-9a-f]{10} reverts [0-9a-f]{10}/);
  await gitops.greets("First");
  manifests.pull();
  expect(manifests.commits(stack)).toBe(commits + 2);
  expect(manifests.git("log", "-1", "--format=%s", "--", stack)).toMatch(
    /^Revert "test-gitops-atomic: build /,
  );
});

test("the next good release recovers", async () => {
  gitops.configure("Third", { replicas: 1, rolloutDeadlineSeconds: 20 }, delivery);
  await gitops.deliver();
  await gitops.greets("Third");
});
