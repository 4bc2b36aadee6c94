import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { Fault } from "../../infra/fault.ts";
import { type CommitRequest, commitFiles, newestWith } from "../../infra/gitops/commit.ts";
import type { GitCredentials } from "../../infra/gitops/git.ts";
import { commitMessage } from "../../infra/gitops/message.ts";
import { BareRepository } from "../support/bareRepository.ts";
import { temporaryDirectory } from "../support/temporary.ts";

const author = { name: "Slipway", email: "slipway@example.com" };

function request(
  repository: BareRepository,
  files: { readonly [path: string]: string },
  changes: Partial<CommitRequest> = {},
): CommitRequest {
  return {
    remote: { url: repository.url },
    branch: "main",
    folder: "dev",
    files: Object.entries(files).map(([path, content]) => ({ path: `dev/${path}`, content })),
    message: "dev: build 4711\n",
    author,
    ...changes,
  };
}

const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => "no error",
    (error: unknown) => (error instanceof Fault ? error.message : `not a Fault: ${String(error)}`),
  );

/** Puts a program in front of all others on PATH for one test. */
function fakeProgram(name: string, script: string): string {
  const directory = temporaryDirectory({ [name]: `#!/bin/sh\n${script}\n` });
  chmodSync(join(directory, name), 0o755);
  vi.stubEnv("PATH", `${directory}:${process.env.PATH}`);
  return directory;
}

test("the first delivery commits every file to an empty repository, with author and message", async () => {
  const repository = new BareRepository();
  const { commit, changes } = await commitFiles(
    request(repository, { "api/service.yaml": "a: 1\n", "README.md": "R\n" }),
  );
  expect(repository.git("rev-parse", "main")).toBe(commit);
  expect(repository.files()).toEqual({ "dev/api/service.yaml": "a: 1", "dev/README.md": "R" });
  expect(repository.git("log", "-1", "--format=%an <%ae> %s")).toBe(
    "Slipway <slipway@example.com> dev: build 4711",
  );
  expect(changes).toEqual({ added: ["dev/README.md", "dev/api/service.yaml"], changed: [], removed: [] });
});

test("nothing changed means no commit", async () => {
  const repository = new BareRepository();
  const first = await commitFiles(request(repository, { "a.yaml": "a: 1\n" }));
  const second = await commitFiles(request(repository, { "a.yaml": "a: 1\n" }, { message: "another" }));
  expect(second).toEqual({ ...first, changes: { added: [], changed: [], removed: [] } });
  expect(repository.commits()).toBe(1);
});

test("one change is one commit that touches the stack's folder alone", async () => {
  const repository = new BareRepository();
  await commitFiles(request(repository, { "a.yaml": "a: 1\n", "b.yaml": "b: 1\n", "old/c.yaml": "c: 1\n" }));
  repository.commitAsOther({ "prod/a.yaml": "prod: 1\n", "README.md": "ours\n" });
  const { changes } = await commitFiles(
    request(repository, { "a.yaml": "a: 2\n", "b.yaml": "b: 1\n", "d.yaml": "d: 1\n" }),
  );
  expect(repository.commits()).toBe(3);
  expect(changes).toEqual({ added: ["dev/d.yaml"], changed: ["dev/a.yaml"], removed: ["dev/old/c.yaml"] });
  expect(repository.files()).toEqual({
    "README.md": "ours",
    "dev/a.yaml": "a: 2",
    "dev/b.yaml": "b: 1",
    "dev/d.yaml": "d: 1",
    "prod/a.yaml": "prod: 1",
  });
});

test("a file that somebody edited or removed in the stack's folder is put back", async () => {
  const repository = new BareRepository();
  const files = { "a.yaml": "a: 1\n" };
  await commitFiles(request(repository, files));
  repository.commitAsOther({ "dev/a.yaml": "a: by hand\n", "dev/b.yaml": "b: by hand\n" });
  await commitFiles(request(repository, files));
  expect(repository.files()).toEqual({ "dev/a.yaml": "a: 1" });
});

test("a push that somebody else's came before is put on top of it, and theirs stays", async () => {
  const repository = new BareRepository();
  await commitFiles(request(repository, { "a.yaml": "a: 1\n" }));
  // The first two pushes find that the branch has moved on in between, as on a busy server.
  const directory = fakeProgram(
    "git",
    `case "$*" in push*)
  n=$(ls "${"$"}{0%/*}" | wc -l)
  if [ $n -le 2 ]; then
    touch "${"$"}{0%/*}/call-$n"
    tree=$(/usr/bin/git -C ${repository.path} rev-parse 'main^{tree}')
    new=$(/usr/bin/git -C ${repository.path} -c user.name=o -c user.email=o@o commit-tree -p main -m "Other $n" $tree)
    /usr/bin/git -C ${repository.path} update-ref refs/heads/main $new
  fi;;
esac
exec /usr/bin/git "$@"`,
  );
  try {
    await commitFiles(request(repository, { "a.yaml": "a: 2\n" }));
  } finally {
    vi.unstubAllEnvs();
  }
  expect(readdirSync(directory)).toEqual(["call-1", "call-2", "git"]);
  expect(repository.git("log", "--format=%s", "main").split("\n")).toEqual([
    "dev: build 4711",
    "Other 2",
    "Other 1",
    "dev: build 4711",
  ]);
  expect(repository.files()).toEqual({ "dev/a.yaml": "a: 2" });
});

test("five stacks that deliver at once to one branch all get their commit", async () => {
  const repository = new BareRepository();
  const stacks = Array.from({ length: 5 }, (_, number) => `stack-${number}`);
  await Promise.all(
    stacks.map((stack) =>
      commitFiles({
        ...request(repository, {}),
        folder: stack,
        files: [{ path: `${stack}/a.yaml`, content: `${stack}\n` }],
      }),
    ),
  );
  expect(Object.keys(repository.files())).toEqual(stacks.map((stack) => `${stack}/a.yaml`));
  expect(repository.commits()).toBe(5);
}, 60_000);

test("a protected branch is an error with the server's reason, and nothing is committed", async () => {
  const repository = new BareRepository();
  await commitFiles(request(repository, { "a.yaml": "a: 1\n" }));
  repository.hook("pre-receive", 'echo "GH006: Protected branch update failed" >&2; exit 1');
  const message = await failure(commitFiles(request(repository, { "a.yaml": "a: 2\n" })));
  expect(message).toContain(`${repository.url}: does not take a commit on the branch main`);
  expect(message).toContain("GH006: Protected branch update failed");
  expect(message).toContain("slipway:delivery.prOnly");
  expect(repository.commits()).toBe(1);
});

test("prOnly leaves the branch alone and pushes the change to a branch of its own, once", async () => {
  const repository = new BareRepository();
  await commitFiles(request(repository, { "a.yaml": "a: 1\n" }));
  const change = request(repository, { "a.yaml": "a: 2\n" }, { prOnly: true });
  const proposal = await commitFiles(change);
  expect(proposal).toMatchObject({ proposed: true, changes: { changed: ["dev/a.yaml"] } });
  expect(proposal.branch).toMatch(/^slipway\/dev-[0-9a-f]{12}$/);
  expect(repository.files()).toEqual({ "dev/a.yaml": "a: 1" });
  expect(repository.files(proposal.branch)).toEqual({ "dev/a.yaml": "a: 2" });
  expect(await commitFiles(change)).toMatchObject({
    commit: proposal.commit,
    branch: proposal.branch,
    proposed: true,
  });
  expect(repository.git("branch", "--list", "slipway/*").split("\n").length).toBe(1);
});

test("prOnly with nothing to change proposes nothing", async () => {
  const repository = new BareRepository();
  await commitFiles(request(repository, { "a.yaml": "a: 1\n" }));
  expect(await commitFiles(request(repository, { "a.yaml": "a: 1\n" }, { prOnly: true }))).toMatchObject({
    proposed: false,
    branch: "main",
  });
});

test("prOnly on a branch that does not exist says so", async () => {
  expect(
    await failure(commitFiles(request(new BareRepository(), { "a.yaml": "a\n" }, { prOnly: true }))),
  ).toContain("is a branch that does not exist");
});

test("a commit is signed with the key that is configured, and verifies", async () => {
  const repository = new BareRepository();
  const directory = temporaryDirectory();
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(directory, "key")]);
  const signingKey = readFileSync(join(directory, "key"), "utf8");
  await commitFiles(request(repository, { "a.yaml": "a: 1\n" }, { signingKey }));
  const allowed = temporaryDirectory({
    signers: `${author.email} ${readFileSync(join(directory, "key.pub"), "utf8")}`,
  });
  const verified = execFileSync(
    "git",
    [
      "-C",
      repository.path,
      "-c",
      `gpg.ssh.allowedSignersFile=${allowed}/signers`,
      "log",
      "-1",
      "--format=%G?",
      "main",
    ],
    { encoding: "utf8" },
  ).trim();
  expect(verified).toBe("G");
});

test.each([
  ["../other/a.yaml"],
  ["dev/../../etc/passwd"],
  ["/etc/passwd"],
  ["dev/.git/config"],
  ["dev/.GIT/hooks/post-checkout"],
  ["dev/a\nb.yaml"],
  ["dev//a.yaml"],
  ["dev/./a.yaml"],
])("the path %j is refused before anything is fetched", async (path) => {
  const given = request(new BareRepository(), {});
  expect(
    await failure(
      commitFiles({ ...given, remote: { url: "file:///nowhere" }, files: [{ path, content: "" }] }),
    ),
  ).toContain("path in the manifests repository");
});

test("a file outside the stack's folder is refused", async () => {
  const given = request(new BareRepository(), {});
  expect(await failure(commitFiles({ ...given, files: [{ path: "prod/a.yaml", content: "" }] }))).toBe(
    "path in the manifests repository: prod/a.yaml: must be below the stack's folder dev",
  );
});

test("a file or link at the folder's place is left alone", async () => {
  const repository = new BareRepository();
  repository.commitAsOther({ stacks: "a file\n" });
  const message = await failure(
    commitFiles({
      ...request(repository, {}),
      folder: "stacks/dev",
      files: [{ path: "stacks/dev/a.yaml", content: "a\n" }],
    }),
  );
  expect(message).toContain("stacks: must be a folder there, and is a file, a link or a submodule");
  expect(repository.commits()).toBe(1);
});

const ssh: GitCredentials = { kind: "ssh", key: "KEY-MATERIAL", knownHosts: "host ssh-ed25519 AAAA" };

test.each([
  ["git@host: Permission denied (publickey).", "refuses the credentials"],
  [
    "No ED25519 host key is known for host and you have requested strict checking.\nHost key verification failed.",
    "has a host key that is not pinned",
  ],
  [
    "@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.",
    "shows another host key than the pinned one",
  ],
  ["ssh: Could not resolve hostname host: Name or service not known", "cannot be reached"],
  ["ssh: connect to host host port 22: Connection refused", "cannot be reached"],
  [
    'Load key "/tmp/key": error in libcrypto\ngit@host: Permission denied (publickey).',
    "not a private key in OpenSSH's format",
  ],
])("when ssh says %j, the error says what it means, and no key", async (said, meaning) => {
  fakeProgram("ssh", `printf '%s\\n' ${JSON.stringify(said)} >&2; exit 255`);
  try {
    const message = await failure(
      commitFiles({
        ...request(new BareRepository(), { "a.yaml": "a\n" }),
        remote: { url: "ssh://git@host/manifests.git", credentials: ssh },
      }),
    );
    expect(message).toContain(`manifests repository: ssh://git@host/manifests.git: `);
    expect(message).toContain(meaning);
    expect(message).not.toContain("KEY-MATERIAL");
  } finally {
    vi.unstubAllEnvs();
  }
});

test("ssh is told to use the key and the pinned hosts alone, and the key is on no command line and gone afterwards", async () => {
  const directory = fakeProgram(
    "ssh",
    `printf '%s\\n' "$@" > "${"$"}{0%/*}/args"; stat -c %a "$(sed -n 's/^IdentityFile=//p' "${"$"}{0%/*}/args")" > "${"$"}{0%/*}/mode"; exit 255`,
  );
  try {
    await failure(
      commitFiles({
        ...request(new BareRepository(), { "a.yaml": "a\n" }),
        remote: { url: "ssh://git@host/manifests.git", credentials: ssh },
      }),
    );
  } finally {
    vi.unstubAllEnvs();
  }
  const args = readFileSync(join(directory, "args"), "utf8");
  for (const option of [
    "StrictHostKeyChecking=yes",
    "IdentitiesOnly=yes",
    "IdentityAgent=none",
    "BatchMode=yes",
  ])
    expect(args).toContain(option);
  expect(args).not.toContain("KEY-MATERIAL");
  expect(readFileSync(join(directory, "mode"), "utf8").trim()).toBe("600");
  expect(existsSync(/^IdentityFile=(.*)$/m.exec(args)?.[1] ?? "")).toBe(false);
});

test("a scratch repository is removed when the delivery ends, well or not", async () => {
  const left = () => readdirSync(tmpdir()).filter((name) => name.startsWith("slipway-git-")).length;
  const before = left();
  await commitFiles(request(new BareRepository(), { "a.yaml": "a\n" }));
  await failure(
    commitFiles({
      ...request(new BareRepository(), { "a.yaml": "a\n" }),
      remote: { url: "file:///nowhere" },
    }),
  );
  expect(left()).toBeLessThanOrEqual(before);
});

test("newestWith follows a branch that others move, and notices when the folder is no longer the same", async () => {
  const repository = new BareRepository();
  const { tree } = await commitFiles(request(repository, { "a.yaml": "a: 1\n" }));
  const where = { branch: "main", folder: "dev", tree };
  const other = repository.commitAsOther({ "prod/a.yaml": "x\n" });
  expect(await newestWith({ url: repository.url }, where)).toBe(other);
  repository.commitAsOther({ "dev/a.yaml": "a: by hand\n" });
  expect(await newestWith({ url: repository.url }, where)).toBeUndefined();
});

test("a commit's message has build numbers, digests and the sources' commit", () => {
  const image = (name: string, version: string) => ({
    reference: `registry/${name}@sha256:${name}`,
    version,
  });
  expect(
    commitMessage("dev", { api: image("api", "4711"), frontend: image("frontend", "4711") }, "abc"),
  ).toBe(
    "dev: build 4711\n\napi       build 4711  registry/api@sha256:api\nfrontend  build 4711  registry/frontend@sha256:frontend\n\nStack: dev\nSource-Commit: abc\n",
  );
  expect(commitMessage("dev", { api: image("api", "1"), web: image("web", "2") }, undefined)).toMatch(
    /^dev: api 1, web 2\n/,
  );
});
