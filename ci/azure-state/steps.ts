import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import type { ListrTask } from "listr2";
import { z } from "zod";
import { Fault } from "../../infra/fault.ts";

/** Name of the blob container, and of the key in the vault. */
const stateName = "pulumi";

export const stateOptions = z.object({
  /** Names the resources: what the team or the project is called. */
  name: z
    .string()
    .regex(/^[a-z][a-z0-9-]{1,11}$/, "must be 2 to 12 lower-case letters, digits and dashes, a letter first"),
  location: z
    .string("is required")
    .regex(/^[a-z][a-z0-9]+$/, "must be an Azure region's short name, such as westeurope"),
  deployers: z.array(z.guid("must be the object id (a GUID) of a user, group or service principal")),
});

export type StateOptions = z.output<typeof stateOptions>;

/** What the steps learn, each for those after it. */
export interface StateContext {
  subscription?: string;
  /** Object id of whoever is signed in. */
  self?: string;
  storageAccount?: string;
  vault?: string;
}

/** Names that are the same for the same subscription and no other: those of accounts and vaults are global. */
export function stateNames(name: string, subscription: string) {
  const end = createHash("sha256").update(`${subscription}/${name}`).digest("hex").slice(0, 6);
  return {
    resourceGroup: `rg-${name}-state`,
    storageAccount: `st${name.replaceAll("-", "")}${end}`,
    vault: `kv-${name.replace(/-$/, "")}-${end}`,
  };
}

/** Runs `az`. @throws Fault with what it said */
async function az(...args: string[]): Promise<string> {
  const { failed, stdout, stderr, code } = await execa("az", [...args, "--only-show-errors"], {
    reject: false,
    stdin: "ignore",
  });
  if (!failed) return stdout;
  if (code === "ENOENT")
    throw new Fault({
      what: "az",
      value: "not found on PATH",
      rule: "is what signs in to Azure",
      fix: "Install the Azure CLI",
    });
  throw new Fault({
    what: `az ${args.filter((arg) => !arg.startsWith("-")).join(" ")}`,
    rule: "must succeed",
    log: stderr.trim().split("\n").slice(-15).join("\n"),
    ...(/az login/.test(stderr) ? { fix: "Sign in by: az login" } : {}),
  });
}

/** Whether something exists, as `az … show` tells. Any other refusal than "not found" is an error. */
async function exists(...args: string[]): Promise<boolean> {
  try {
    await az(...args);
    return true;
  } catch (error) {
    if (error instanceof Fault && /not ?found|does not exist/i.test(error.message)) return false;
    throw error;
  }
}

/** Seconds that a new role assignment may take to count, by Azure's documentation up to ten minutes. */
const propagationSeconds = 600;

/** Repeats what Azure forbids until the role that allows it counts. */
async function onceAllowed(attempt: () => Promise<unknown>, waiting: (line: string) => void): Promise<void> {
  const deadline = Date.now() + propagationSeconds * 1000;
  for (;;) {
    try {
      await attempt();
      return;
    } catch (error) {
      const forbidden = error instanceof Fault && /Forbidden/.test(error.message);
      if (!forbidden || Date.now() > deadline) throw error;
      waiting("waiting for the role assignment to count");
      await sleep(5000);
    }
  }
}

async function signedIn(context: StateContext): Promise<void> {
  const account = JSON.parse(await az("account", "show", "--output", "json")) as {
    id: string;
    user: { name: string; type: string };
  };
  context.subscription = account.id;
  context.self =
    account.user.type === "servicePrincipal"
      ? await az("ad", "sp", "show", "--id", account.user.name, "--query", "id", "--output", "tsv")
      : await az("ad", "signed-in-user", "show", "--query", "id", "--output", "tsv");
}

function assign(role: string, assignee: string, scope: string): Promise<string> {
  // Without the type, which only the caller knows, Azure looks it up.
  return az("role", "assignment", "create", "--role", role, "--assignee", assignee, "--scope", scope);
}

/**
 * The steps that prepare what keeps Pulumi's state on Azure: a storage account and container, a Key Vault and a key in
 * it, and the roles of those who deploy. Each looks first, or is a command of `az` that changes nothing the second time.
 */
export function stateTasks({ name, location, deployers }: StateOptions): ListrTask<StateContext>[] {
  const names = (context: StateContext) => stateNames(name, context.subscription as string);
  const scope = (context: StateContext, provider: string) =>
    `/subscriptions/${context.subscription}/resourceGroups/${names(context).resourceGroup}/providers/${provider}`;
  const who = (context: StateContext) => [...new Set([context.self as string, ...deployers])];
  const tags = ["--tags", `project=${name}`, "purpose=pulumi-state"];
  return [
    { title: "Who is signed in", task: signedIn },
    {
      title: "Resource group",
      task: (context) =>
        az("group", "create", "--name", names(context).resourceGroup, "--location", location, ...tags),
    },
    {
      title: "Storage account: versions kept, no keys, no public access",
      task: async (context) => {
        const { resourceGroup, storageAccount } = names(context);
        const group = ["--resource-group", resourceGroup];
        await az(
          ...["storage", "account", "create", "--name", storageAccount, ...group, "--location", location],
          ...["--sku", "Standard_ZRS", "--kind", "StorageV2", "--min-tls-version", "TLS1_2"],
          ...["--allow-blob-public-access", "false", "--allow-shared-key-access", "false", ...tags],
        );
        await az(
          ...["storage", "account", "blob-service-properties", "update", "--account-name", storageAccount],
          ...[...group, "--enable-versioning", "true", "--enable-delete-retention", "true"],
          ...["--delete-retention-days", "30"],
        );
        // By the management API: the one for data would need a role that may not count yet.
        await az(
          ...["storage", "container-rm", "create", "--name", stateName],
          ...["--storage-account", storageAccount, ...group],
        );
        context.storageAccount = storageAccount;
      },
    },
    {
      title: "Key Vault: roles decide, nothing is purged",
      task: async (context) => {
        const { resourceGroup, vault } = names(context);
        const group = ["--resource-group", resourceGroup];
        if (!(await exists("keyvault", "show", "--name", vault, ...group)))
          await az(
            ...["keyvault", "create", "--name", vault, ...group, "--location", location],
            ...["--enable-rbac-authorization", "true", "--enable-purge-protection", "true", ...tags],
          );
        context.vault = vault;
      },
    },
    {
      title: "Roles",
      task: async (context) => {
        const storage = scope(context, `Microsoft.Storage/storageAccounts/${context.storageAccount}`);
        const vault = scope(context, `Microsoft.KeyVault/vaults/${context.vault}`);
        await assign("Key Vault Crypto Officer", context.self as string, vault);
        for (const deployer of who(context)) {
          await assign("Storage Blob Data Contributor", deployer, storage);
          await assign("Key Vault Crypto User", deployer, vault);
        }
      },
    },
    {
      title: "Key",
      task: (context, task) =>
        onceAllowed(
          async () => {
            const key = ["--vault-name", context.vault as string, "--name", stateName];
            if (await exists("keyvault", "key", "show", ...key)) return;
            await az("keyvault", "key", "create", ...key, "--kty", "RSA", "--size", "3072");
          },
          (line) => {
            task.output = line;
          },
        ),
    },
  ];
}

/** The commands that go on from here. */
export function nextCommands({ storageAccount, vault }: StateContext): string {
  return [
    `pulumi login 'azblob://${stateName}?storage_account=${storageAccount}'`,
    `pulumi stack init dev --secrets-provider='azurekeyvault://${vault}.vault.azure.net/keys/${stateName}'`,
    "pulumi up --stack dev",
  ].join("\n");
}
