import { Fault } from "../fault.ts";
import { GitFailure } from "./git.ts";

/** What git, ssh and git servers say, and what it means for whoever configured the stack. */
const meanings: readonly (readonly [said: RegExp, rule: string, fix: string])[] = [
  [
    /REMOTE HOST IDENTIFICATION HAS CHANGED/,
    "shows another host key than the pinned one",
    "find out why; only if the server really has a new key, correct slipway:delivery.repository.ssh.knownHosts",
  ],
  [
    /Host key verification failed/,
    "has a host key that is not pinned",
    "set slipway:delivery.repository.ssh.knownHosts to the server's own key, from a source that you trust",
  ],
  [
    /error in libcrypto|invalid format|Load key .*: /,
    "cannot be used: the SSH key is not a private key in OpenSSH's format, or asks for a passphrase",
    "set slipway:delivery.repository.ssh.pushKey to a private key without a passphrase",
  ],
  [
    /Permission denied \(|Authentication failed|could not read (Username|Password)|HTTP Basic: Access denied|returned error: 401/,
    "refuses the credentials",
    "check slipway:delivery.repository: the key or token must be registered there, and may write",
  ],
  [
    /returned error: 403|Write access to repository not granted|read-only|not permitted to write/i,
    "lets these credentials read but not write",
    "register the key or token with write access",
  ],
  [
    /does not appear to be a git repository|[Rr]epository .*not found|returned error: 404/,
    "is not a repository, or not one that these credentials may see",
    "correct slipway:delivery.repository.url",
  ],
  [
    /Could not resolve host(name)?|Connection refused|Connection timed out|No route to host|Network is unreachable|Failed to connect|Connection (closed|reset)|no end after|kex_exchange_identification/,
    "cannot be reached",
    "check the address and the network, then run again: nothing was committed",
  ],
  [/ENOENT/, "cannot be used: git or ssh is not on PATH", "install git and an SSH client"],
];

/** Lines in which the server gives its reason, and git its result. */
function tellingLines(said: string): string {
  const lines = said.split("\n").filter((line) => line.trim() !== "" && !/^(To |Done)/.test(line));
  return lines.slice(-8).join("\n");
}

/** Puts a failure of git into words. Anything else is given back as it is. */
export function explainGit(error: unknown, url: string): unknown {
  if (!(error instanceof GitFailure)) return error;
  const [, rule, fix] = meanings.find(([pattern]) => pattern.test(error.said)) ?? [];
  return new Fault({
    what: "manifests repository",
    value: url,
    rule: rule ?? "could not be written",
    log: tellingLines(error.said),
    fix: fix ?? "see what git says above; nothing was committed",
  });
}

/** A branch that its server protects. */
export function branchRefused(error: GitFailure, url: string, branch: string): Fault {
  return new Fault({
    what: "manifests repository",
    value: url,
    rule: `does not take a commit on the branch ${branch}`,
    log: tellingLines(error.said),
    fix: "let this key write to it, or set slipway:delivery.prOnly to propose each change as a branch of its own",
  });
}
