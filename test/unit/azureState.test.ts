import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { expect, test } from "vitest";
import { stateNames } from "../../ci/azure-state/steps.ts";
import { temporaryDirectory } from "../support/temporary.ts";

const root = new URL("../..", import.meta.url).pathname;
const self = "11111111-1111-4111-8111-111111111111";

/** A machine whose `az` writes down what it is asked. */
function machine() {
  const directory = temporaryDirectory();
  const az = join(directory, "az");
  writeFileSync(az, `#!/bin/sh\nexec ${process.execPath} ${join(root, "test/support/azure/az.js")} "$@"\n`);
  chmodSync(az, 0o755);
  const calls = join(directory, "calls");
  return {
    async run(args: readonly string[], env: Record<string, string> = {}) {
      const { exitCode, all } = await execa(process.execPath, ["ci/azure-state/cli.ts", ...args], {
        cwd: root,
        reject: false,
        all: true,
        env: {
          PATH: `${directory}:${process.env.PATH}`,
          AZ_STATE: join(directory, "state.json"),
          AZ_CALLS: calls,
          ...env,
        },
      });
      return { exitCode, output: all };
    },
    calls: () => (existsSync(calls) ? readFileSync(calls, "utf8").trim().split("\n") : []),
  };
}

const { storageAccount, vault } = stateNames("shop", "sub-1");

test("it makes the container and the key, and ends with the commands that follow", async () => {
  const { run } = machine();
  const { exitCode, output } = await run(["--name", "shop", "--location", "westeurope"]);
  expect(exitCode).toBe(0);
  expect(output.split("\n").slice(-3)).toEqual([
    `pulumi login 'azblob://pulumi?storage_account=${storageAccount}'`,
    `pulumi stack init dev --secrets-provider='azurekeyvault://${vault}.vault.azure.net/keys/pulumi'`,
    "pulumi up --stack dev",
  ]);
});

test("a second time it makes no second vault and no second key, and ends the same", async () => {
  const { run, calls } = machine();
  const first = await run(["--name", "shop", "--location", "westeurope"]);
  const second = await run(["--name", "shop", "--location", "westeurope"]);
  expect(second.exitCode).toBe(0);
  expect(second.output.split("\n").slice(-3)).toEqual(first.output.split("\n").slice(-3));
  expect(calls().filter((call) => /keyvault (key )?create/.test(call))).toHaveLength(2);
});

test("nobody reads the state by an account's key or without signing in", async () => {
  const { run, calls } = machine();
  await run(["--name", "shop", "--location", "westeurope"]);
  const account = calls().find((call) => call.startsWith("storage account create"));
  expect(account).toContain("--allow-blob-public-access false");
  expect(account).toContain("--allow-shared-key-access false");
  expect(account).toContain("--min-tls-version TLS1_2");
});

test("those who deploy may write the state and use the key, and only who prepares may make keys", async () => {
  const { run, calls } = machine();
  const team = "22222222-2222-4222-8222-222222222222";
  await run(["--name", "shop", "--location", "westeurope", "--deployer", team]);
  const roles = calls()
    .filter((call) => call.startsWith("role assignment create"))
    .map((call) => /--role (.*) --assignee (\S+)/.exec(call)?.slice(1));
  expect(roles).toEqual([
    ["Key Vault Crypto Officer", self],
    ["Storage Blob Data Contributor", self],
    ["Key Vault Crypto User", self],
    ["Storage Blob Data Contributor", team],
    ["Key Vault Crypto User", team],
  ]);
});

test("a role that does not count yet is waited for", async () => {
  const { run, calls } = machine();
  const { exitCode } = await run(["--name", "shop", "--location", "westeurope"], { AZ_FORBIDS: "1" });
  expect(exitCode).toBe(0);
  expect(calls().filter((call) => call.startsWith("keyvault key show"))).toHaveLength(2);
});

test("who is not signed in is told how, and nothing is made", async () => {
  const { run, calls } = machine();
  const { exitCode, output } = await run(["--location", "westeurope"], { AZ_SIGNED_OUT: "1" });
  expect(exitCode).toBe(1);
  expect(output).toContain("Sign in by: az login");
  expect(calls()).toHaveLength(1);
});

test.each([
  [["--name", "Shop!", "--location", "westeurope"], '--name: "Shop!": must be 2 to 12 lower-case letters'],
  [["--location", "West Europe"], '--location: "West Europe": must be an Azure region\'s short name'],
  [["--location", "westeurope", "--deployer", "me"], '--deployer: "me": must be the object id (a GUID)'],
])("a value that Azure would refuse stops it before anything is asked: %j", async (args, message) => {
  const { run, calls } = machine();
  const { exitCode, output } = await run(args);
  expect(exitCode).toBe(1);
  expect(output).toContain(message);
  expect(calls()).toEqual([]);
});

test("names keep Azure's limits, whatever the name and the subscription", () => {
  for (const name of ["ab", "a-b-c-d-e-f-", "abcdefghijkl"]) {
    const names = stateNames(name, "00000000-0000-0000-0000-000000000000");
    expect(names.storageAccount).toMatch(/^[a-z0-9]{3,24}$/);
    expect(names.vault).toMatch(/^[a-z](?!.*--)[a-z0-9-]{1,22}[a-z0-9]$/);
  }
});
