import type * as pulumi from "@pulumi/pulumi";
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { TokenPassword } from "../../infra/platform/azure/tokenPassword.ts";
import { nextSlot, type RotationPolicy, rotationDue } from "../../infra/platform/azure/tokenRotation.ts";
import { mapSecrets } from "../../local/deliver/secrets.ts";
import { temporaryDirectory } from "../support/temporary.ts";

const day = 86_400_000;
const created = "2026-01-01T00:00:00.000Z";
const at = (days: number) => Date.parse(created) + days * day;

describe("a new password is due", () => {
  const present = { slot: "password1", created, rotation: "1" } as const;

  test.each<[rule: string, wanted: RotationPolicy, days: number, due: boolean]>([
    ["never by age alone, where no age is given", { rotation: "1" }, 10_000, false],
    ["not a moment before its age", { rotation: "1", maxAgeDays: 30 }, 29.999, false],
    ["at its age", { rotation: "1", maxAgeDays: 30 }, 30, true],
    ["when the rotation's text changes", { rotation: "2", maxAgeDays: 30 }, 0, true],
    ["when it is to end at another time", { rotation: "1", expiry: "2027-01-01" }, 0, true],
  ])("%s", (_, wanted, days, due) => {
    expect(rotationDue(present, wanted, at(days))).toBe(due);
  });

  test("when nobody knows how old the present one is, and an age is given", () => {
    const unknown = { ...present, created: undefined as unknown as string };
    expect(rotationDue(unknown, { rotation: "1", maxAgeDays: 30 }, at(0))).toBe(true);
    expect(rotationDue(unknown, { rotation: "1" }, at(0))).toBe(false);
  });
});

test("the two slots take turns", () => {
  expect(nextSlot("password1")).toBe("password2");
  expect(nextSlot("password2")).toBe("password1");
});

/** Azure, as the packages show it: what was called, and the passwords that there are. */
interface FakeAzure {
  readonly calls: { readonly credential: string; readonly operation: string; readonly given: unknown }[];
  failure: (Error & { statusCode?: number }) | undefined;
}

const packages = {
  "node_modules/@azure/identity/index.js": `
    exports.AzureCliCredential = class AzureCliCredential {};
    exports.WorkloadIdentityCredential = class WorkloadIdentityCredential {};`,
  "node_modules/@azure/arm-containerregistry/index.js": `
    exports.ContainerRegistryManagementClient = class {
      constructor(credential, subscriptionId) {
        const call = (operation, given) => {
          const { calls, failure } = globalThis.fakeAzure;
          calls.push({ credential: credential.constructor.name + " of " + subscriptionId, operation, given });
          if (failure) throw failure;
        };
        this.registries = {
          async generateCredentials(group, registry, given) {
            call("generate " + group + "/" + registry, given);
            return { passwords: [
              { name: "password1", value: given.name === "password1" ? "new" : undefined },
              { name: "password2", value: given.name === "password2" ? "newer" : undefined },
            ] };
          },
        };
        this.tokens = {
          async update(group, registry, token, given) { call("update " + group + "/" + registry + "/" + token, given); },
        };
      }
    };`,
};

describe("the provider, as Pulumi runs it from the state: with nothing but the installed packages", () => {
  type Provider = Required<pulumi.dynamic.ResourceProvider<Record<string, unknown>, Record<string, unknown>>>;
  let provider: Provider;
  let azure: FakeAzure;

  const inputs = {
    login: "azurecli",
    subscriptionId: "sub",
    resourceGroup: "rg",
    registry: "acr",
    token: "pull",
    tokenId: "/tokens/pull",
    rotation: "1",
  };
  const credential = "AzureCliCredential of sub";

  beforeAll(async () => {
    const { runtime } = await import("@pulumi/pulumi");
    let code = "";
    await runtime.setMocks({
      newResource: ({ inputs: given }) => {
        code = mapSecrets(given.__provider, (secret) => secret) as string;
        return { id: "id", state: {} };
      },
      call: () => ({}),
    });
    new TokenPassword("password", { ...inputs, login: "azurecli" });
    await runtime.disconnect();
    const exports: { handler?: () => Provider } = {};
    new Function("exports", "require", code)(exports, (name: string) => {
      throw new Error(`the serialized provider asks for ${name}`);
    });
    provider = (exports.handler as () => Provider)();
  });

  beforeEach(() => {
    vi.spyOn(process, "cwd").mockReturnValue(temporaryDirectory(packages));
    azure = { calls: [], failure: undefined };
    vi.stubGlobal("fakeAzure", azure);
  });
  afterEach(() => {
    vi.restoreAllMocks();
    vi.unstubAllGlobals();
  });

  test("a token gets its first password, from Azure, in the first slot, until its expiry", async () => {
    const { id, outs } = await provider.create({ ...inputs, expiry: "2100-01-01" });
    expect(id).toBe("/tokens/pull");
    expect(outs).toMatchObject({ password: "new", slot: "password1", expiry: "2100-01-01" });
    expect(Date.now() - Date.parse(outs?.created as string)).toBeLessThan(60_000);
    const given = { tokenId: "/tokens/pull", name: "password1", expiry: new Date("2100-01-01") };
    expect(azure.calls).toEqual([{ credential, operation: "generate rg/acr", given }]);
  });

  test("a rotation fills the other slot, so that the password before goes on working", async () => {
    const { outs } = await provider.create(inputs);
    const olds = outs as Record<string, unknown>;
    const news = { ...inputs, rotation: "2" };
    expect(await provider.diff("id", olds, news)).toMatchObject({ changes: true, replaces: [] });
    const updated = await provider.update("id", olds, news);
    expect(updated.outs).toMatchObject({ password: "newer", slot: "password2", rotation: "2" });
    expect(azure.calls.at(-1)?.given).toEqual({ tokenId: "/tokens/pull", name: "password2" });
  });

  test("a password is left alone until its age, and no longer", async () => {
    const { outs } = await provider.create({ ...inputs, maxAgeDays: 30 });
    const olds = outs as Record<string, unknown>;
    const wanted = { ...inputs, maxAgeDays: 30 };
    expect(await provider.diff("id", olds, wanted)).toMatchObject({ changes: false });
    const aged = { ...olds, created: new Date(Date.now() - 31 * day).toISOString() };
    expect(await provider.diff("id", aged, wanted)).toMatchObject({ changes: true });
  });

  test("a password that an older version of this program made is left alone too", async () => {
    const olds = { ...inputs, password: "old" };
    expect(await provider.diff("id", olds, inputs)).toMatchObject({ changes: false });
    await provider.update("id", olds, { ...inputs, rotation: "2" });
    expect(azure.calls.at(-1)?.given).toMatchObject({ name: "password2" });
  });

  test("another token means another password", async () => {
    const { outs } = await provider.create(inputs);
    const news = { ...inputs, tokenId: "/tokens/other" };
    expect(await provider.diff("id", outs as Record<string, unknown>, news)).toMatchObject({
      changes: true,
      replaces: ["tokenId"],
    });
  });

  test("deleted, it is revoked at Azure", async () => {
    await provider.delete("id", { ...inputs, password: "new", slot: "password1", created });
    const given = { credentials: { passwords: [] } };
    expect(azure.calls).toEqual([{ credential, operation: "update rg/acr/pull", given }]);
  });

  test("deleted after its token, there is nothing left to revoke", async () => {
    azure.failure = Object.assign(new Error("not found"), { statusCode: 404 });
    await provider.delete("id", inputs);
    azure.failure = Object.assign(new Error("forbidden"), { statusCode: 403 });
    await expect(provider.delete("id", inputs)).rejects.toThrow("forbidden");
  });

  test("nothing but the login that the stack names is tried", async () => {
    await provider.create({ ...inputs, login: "workloadidentity" });
    expect(azure.calls[0]?.credential).toBe("WorkloadIdentityCredential of sub");
  });
});
