import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { Fault } from "../../infra/fault.ts";
import { registryUrl } from "../../infra/platform/reachable.ts";
import { dockerConfig } from "../../local/deliver/image.ts";

/** A registry and who reads from it, or writes to it. */
interface End {
  readonly server: string;
  readonly user?: { readonly username: string; readonly password: string } | undefined;
}

/**
 * Copies an image from a registry to another by skopeo, byte by byte: what arrives has the same digest.
 *
 * @param reference `registry/repository@sha256:…`
 * @param repository name in the registry that it is copied to
 * @returns its reference there
 * @throws Fault where there is no skopeo, or with its last lines
 */
export async function copyImage(
  reference: string,
  repository: string,
  tag: string,
  { from, to }: { readonly from: End; readonly to: End },
): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), "slipway-copy-"));
  const authFile = (name: string, { server, user }: End) => {
    const path = join(directory, name);
    writeFileSync(path, dockerConfig(user === undefined ? [] : [{ server, ...user }]), { mode: 0o600 });
    return path;
  };
  const plain = ({ server }: End) => registryUrl(server).protocol === "http:";
  try {
    const { failed, code, all } = await execa(
      "skopeo",
      [
        "copy",
        "--all",
        "--preserve-digests",
        "--src-authfile",
        authFile("from.json", from),
        "--dest-authfile",
        authFile("to.json", to),
        ...(plain(from) ? ["--src-tls-verify=false"] : []),
        ...(plain(to) ? ["--dest-tls-verify=false"] : []),
        `docker://${reference}`,
        `docker://${to.server}/${repository}:${tag}`,
      ],
      { reject: false, all: true, stdin: "ignore" },
    );
    if (code === "ENOENT") {
      throw new Fault({
        what: "skopeo",
        rule: "must be on PATH: it copies the images to this stack's own registry",
        fix: "install it: apt-get install skopeo",
      });
    }
    if (failed) {
      throw new Fault({
        what: `copy of ${reference} to ${to.server}`,
        rule: "must succeed",
        log: all.split("\n").slice(-15).join("\n"),
        fix: "run this again: what has been copied is not copied twice",
      });
    }
    return `${to.server}/${repository}@${reference.split("@")[1]}`;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
