import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { commitFiles } from "../../infra/gitops/commit.ts";
import { type GitopsDescriptor, readGitopsDescriptor } from "../../local/gitops/descriptor.ts";
import { ManifestsClone, startGitops } from "../support/gitops.ts";

const folder = "test-repository";
let work: string;
let repository: GitopsDescriptor["repository"];
let manifests: ManifestsClone;

beforeAll(async () => {
  await startGitops();
  work = mkdtempSync(join(tmpdir(), "slipway-test-keys-"));
  repository = readGitopsDescriptor().repository;
  manifests = new ManifestsClone();
});

afterAll(() => {
  manifests.remove();
  rmSync(work, { recursive: true });
});

/** A new key pair. @returns the private key, and the public one as known_hosts has it */
function keyPair(name: string): { readonly key: string; readonly publicKey: string } {
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(work, name)]);
  const [type, value] = readFileSync(join(work, `${name}.pub`), "utf8").split(" ");
  return { key: readFileSync(join(work, name), "utf8"), publicKey: `${type} ${value}` };
}

/** Commits to the environment's real Git server. @returns its error's message */
async function commitInVain(changes: { key?: string; knownHosts?: string }): Promise<string> {
  const { pushUrl: url, pushKey: key, knownHosts } = repository;
  const message = await commitFiles({
    remote: { url, credentials: { kind: "ssh", key, knownHosts, ...changes } },
    branch: "main",
    folder,
    files: [{ path: `${folder}/README.md`, content: "in vain\n" }],
    message: "In vain",
    author: { name: "Slipway", email: "slipway@example.com" },
  }).then(
    () => "no error",
    (error: Error) => error.message,
  );
  expect(message).not.toContain("PRIVATE KEY");
  expect(manifests.commits(folder)).toBe(0);
  return message;
}

test("a key that the server does not know is refused, and nothing is committed", async () => {
  expect(await commitInVain({ key: keyPair("stranger").key })).toMatch(
    /manifests repository: ssh:\/\/.*: refuses the credentials/,
  );
});

test("the key that only reads cannot write", async () => {
  expect(await commitInVain({ key: repository.pullKey })).not.toBe("no error");
});

test("a server that shows another host key than the pinned one is not talked to", async () => {
  const { publicKey } = keyPair("impostor");
  const knownHosts = repository.knownHosts.replace(/ssh-ed25519 \S+/g, publicKey);
  expect(await commitInVain({ knownHosts })).toMatch(/shows another host key than the pinned one/);
});

test("a server whose host key is not pinned is not talked to", async () => {
  const knownHosts = `git.example ${keyPair("elsewhere").publicKey}\n`;
  expect(await commitInVain({ knownHosts })).toMatch(/has a host key that is not pinned/);
});
