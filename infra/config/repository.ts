import { z } from "zod";
import { secretString } from "./primitives.ts";

/** `ssh://git@host:22/path`, or git's short form `git@host:path`. */
const sshUrl = /^(ssh:\/\/[\w.-]+@[\w.-]+(:\d{1,5})?\/[\w./~-]+|[\w.-]+@[\w.-]+:(?!\/\/)[\w./~-]+)$/;
const httpsUrl = /^https:\/\/[\w.-]+(:\d{1,5})?\/[\w./~-]+$/;

const repositoryUrl = z
  .string()
  .refine(
    (url) => sshUrl.test(url) || httpsUrl.test(url),
    "must be a Git repository's URL: ssh://git@host/path, git@host:path or https://host/path, without a password",
  );

/** A path of letters, digits, dots, dashes and underscores below the repository's root. */
const folder = z
  .string()
  .regex(
    /^(?!.*(^|\/)\.{1,2}(\/|$))(?!(.*\/)?\.git(\/|$))[A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*$/,
    "must be a folder below the repository's root, such as clusters/europe: no leading /, no . or .. in it",
  );

/** What `git check-ref-format --branch` takes, without what makes trouble on command lines and in URLs. */
const branch = z
  .string()
  .regex(
    /^(?!.*(\.\.|\/\.|\.lock(\/|$)|\/\/))[A-Za-z0-9][A-Za-z0-9._/-]*(?<![./])$/,
    "must be a branch's name, such as main",
  );

const knownHosts = z
  .string()
  .regex(
    /^([^\s#|]|\|1\|)\S*[ \t]+(ssh-(ed25519|rsa)|ecdsa-sha2-nistp\d+|sk-\S+)[ \t]+[A-Za-z0-9+/=]+/m,
    "must have lines as in ~/.ssh/known_hosts: host, kind of key, key",
  );

const set = (key: string) => `pulumi config set --secret --path slipway:delivery.repository.${key}`;

const ssh = z.strictObject({
  knownHosts: knownHosts.describe(
    "The server's host keys, as lines of known_hosts. No other server is talked to.",
  ),
  pushKey: secretString.describe(`Private SSH key that may write, for this program: ${set("ssh.pushKey")}`),
  pullKey: secretString.describe(
    `Private SSH key that may only read, for the cluster: ${set("ssh.pullKey")}`,
  ),
});

const token = z.strictObject({
  username: z
    .string()
    .min(1, "must not be empty")
    .default("git")
    .describe("User of both tokens. Default: git."),
  push: secretString.describe(`Token that may write, for this program: ${set("token.push")}`),
  pull: secretString.describe(`Token that may only read, for the cluster: ${set("token.pull")}`),
});

/** The manifests repository, and who may read and write it. */
export const repository = z
  .strictObject({
    url: repositoryUrl.describe("URL at which the cluster reads the repository, by SSH or HTTPS."),
    pushUrl: repositoryUrl
      .optional()
      .describe(
        "URL at which this program reaches the same repository, where that is another. Default: url.",
      ),
    branch: branch.default("main").describe("Branch that the cluster follows. Default: main."),
    path: folder
      .optional()
      .describe(
        "Folder of the repository below which each stack has a folder. Default: the repository's root.",
      ),
    ssh: ssh.optional().describe("Keys, for a URL by SSH."),
    token: token.optional().describe("Tokens, for a URL by HTTPS."),
  })
  .superRefine(({ url, pushUrl, ...credentials }, context) => {
    const wanted = sshUrl.test(url) ? "ssh" : "token";
    const other = wanted === "ssh" ? "token" : "ssh";
    if (credentials[wanted] === undefined)
      context.addIssue({
        code: "custom",
        path: [wanted],
        message: `is required with a URL by ${wanted === "ssh" ? "SSH" : "HTTPS"}`,
        params: {
          hint: wanted === "ssh" ? "Give it knownHosts, pushKey and pullKey" : "Give it push and pull",
        },
      });
    if (credentials[other] !== undefined)
      context.addIssue({ code: "custom", path: [other], message: `is not for a URL such as ${url}` });
    if (pushUrl !== undefined && sshUrl.test(pushUrl) !== (wanted === "ssh"))
      context.addIssue({
        code: "custom",
        path: ["pushUrl"],
        input: pushUrl,
        message: "must use the same protocol as url",
      });
  });

export type RepositoryConfig = z.output<typeof repository>;
