import { expect, test } from "vitest";
import { commitFiles } from "../../infra/gitops/commit.ts";
import { revertFolder } from "../../infra/gitops/revert.ts";
import { BareRepository } from "../support/bareRepository.ts";

const author = { name: "Slipway", email: "slipway@example.com" };

/** Commits the folder's files. */
function commit(repository: BareRepository, content: string, folder = "dev") {
  return commitFiles({
    remote: { url: repository.url },
    branch: "main",
    folder,
    files: [{ path: `${folder}/api/deployment.yaml`, content }],
    message: `${folder}: build ${content}\n`,
    author,
  });
}

const revert = (repository: BareRepository, tree: string) =>
  revertFolder({ remote: { url: repository.url }, branch: "main", folder: "dev", author, tree });

test("a commit is taken back by another one that says so, and what others committed since stays", async () => {
  const repository = new BareRepository();
  const good = await commit(repository, "a: 1\n");
  const bad = await commit(repository, "a: 2\n");
  await commit(repository, "b: 1\n", "prod");
  const reverted = await revert(repository, bad.tree);
  expect(reverted).toMatchObject({ reverted: bad.commit, tree: good.tree });
  expect(repository.git("rev-parse", "main")).toBe(reverted?.commit);
  expect(repository.files()).toEqual({
    "dev/api/deployment.yaml": "a: 1",
    "prod/api/deployment.yaml": "b: 1",
  });
  expect(repository.git("log", "-1", "--format=%an %s%n%b")).toBe(
    `Slipway Revert "dev: build a: 2"\nThis reverts commit ${bad.commit}, whose release did not get to run.`,
  );
  expect(repository.git("rev-list", "--count", "main")).toBe("4");
});

test("a first release has none before it: it stays", async () => {
  const repository = new BareRepository();
  const first = await commit(repository, "a: 1\n");
  expect(await revert(repository, first.tree)).toBeUndefined();
  expect(repository.git("rev-parse", "main")).toBe(first.commit);
});

test("what somebody has changed since is not taken back", async () => {
  const repository = new BareRepository();
  await commit(repository, "a: 1\n");
  const bad = await commit(repository, "a: 2\n");
  const theirs = await commit(repository, "a: 3\n");
  expect(await revert(repository, bad.tree)).toBeUndefined();
  expect(repository.git("rev-parse", "main")).toBe(theirs.commit);
});

test("others who push at the same time lose nothing, and the commit is taken back on top of theirs", async () => {
  const repository = new BareRepository();
  const good = await commit(repository, "a: 1\n");
  const bad = await commit(repository, "a: 2\n");
  const others = ["prod", "uat", "test"];
  const [reverted] = await Promise.all([
    revert(repository, bad.tree),
    ...others.map((folder) => commit(repository, "b: 1\n", folder)),
  ]);
  expect(reverted).toMatchObject({ reverted: bad.commit, tree: good.tree });
  expect(repository.files()).toEqual({
    "dev/api/deployment.yaml": "a: 1",
    ...Object.fromEntries(others.map((folder) => [`${folder}/api/deployment.yaml`, "b: 1"])),
  });
});

test("a branch that became protected since is told with the server's reason", async () => {
  const repository = new BareRepository();
  await commit(repository, "a: 1\n");
  const bad = await commit(repository, "a: 2\n");
  repository.hook("pre-receive", 'echo "GH006: Protected branch update failed" >&2; exit 1');
  await expect(revert(repository, bad.tree)).rejects.toThrow(
    /does not take a commit on the branch main\n.*Protected branch update failed/s,
  );
});
