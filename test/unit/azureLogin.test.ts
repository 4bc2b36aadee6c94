import { chmodSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { parse, stringify } from "yaml";
import { InputError } from "../../infra/config/error.ts";
import { kubeloginKubeconfig } from "../../infra/platform/azure/kubeconfig.ts";
import { requireAzureLogin } from "../../infra/platform/azure/login.ts";
import { temporaryDirectory } from "../support/temporary.ts";

describe("the kubeconfig of a cluster", () => {
  const cluster = {
    name: "aks-shop-dev",
    cluster: { server: "https://aks.example:443", "certificate-authority-data": "Q0E=" },
  };
  /** What AKS gives to a user: it would ask for a login in a browser. */
  const given = (clusters: object[]) =>
    Buffer.from(
      stringify({
        apiVersion: "v1",
        kind: "Config",
        clusters,
        contexts: [{ name: "theirs", context: { cluster: "aks-shop-dev", user: "theirs" } }],
        "current-context": "theirs",
        users: [
          {
            name: "theirs",
            user: { exec: { command: "kubelogin", args: ["get-token", "--login", "devicecode"] } },
          },
        ],
      }),
    ).toString("base64");

  test.each(["azurecli", "workloadidentity"] as const)("signs in by %s alone, and never asks", (login) => {
    const kubeconfig = parse(kubeloginKubeconfig(given([cluster]), login));
    expect(kubeconfig).toMatchObject({
      "current-context": "aks-shop-dev",
      clusters: [cluster],
      contexts: [{ name: "aks-shop-dev", context: { cluster: "aks-shop-dev", user: "kubelogin" } }],
    });
    expect(kubeconfig.users).toHaveLength(1);
    expect(kubeconfig.users[0].user).toEqual({
      exec: expect.objectContaining({
        command: "kubelogin",
        args: ["get-token", "--login", login, "--server-id", "6dae42f8-4368-4678-94ff-3960e28e3630"],
        interactiveMode: "Never",
      }),
    });
  });

  test("without a cluster is refused", () => {
    expect(() => kubeloginKubeconfig(given([]), "azurecli")).toThrow(
      "AKS gave a kubeconfig without a cluster",
    );
  });
});

describe("who is not signed in is told how, in one line", () => {
  afterEach(() => vi.unstubAllEnvs());

  async function refusal(login: "azurecli" | "workloadidentity"): Promise<string> {
    const error: unknown = await requireAzureLogin(login).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(InputError);
    return (error as InputError).message;
  }

  /** Puts an `az` first on PATH. */
  function az(script: string): void {
    const directory = temporaryDirectory({ az: `#!/bin/sh\n${script}\n` });
    chmodSync(join(directory, "az"), 0o755);
    vi.stubEnv("PATH", `${directory}:${process.env.PATH}`);
  }

  test("by az login, where the stack signs in by the Azure CLI", async () => {
    az("echo 'Please run az login to setup account.' >&2; exit 1");
    expect(await refusal("azurecli")).toMatch(
      /^slipway:platform\.cluster\.login = "azurecli": needs somebody to be signed in to Azure: [^\n]+\. Sign in by: az login\.$/,
    );
  });

  test("by its variables, where the stack signs in by workload identity", async () => {
    for (const name of ["AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_FEDERATED_TOKEN_FILE"])
      vi.stubEnv(name, undefined);
    expect(await refusal("workloadidentity")).toMatch(
      /^slipway:platform\.cluster\.login = "workloadidentity": needs somebody to be signed in to Azure: [^\n]+\. Set AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_FEDERATED_TOKEN_FILE, as azure\/login does in CI\.$/,
    );
  });

  test("and who is, is let through", async () => {
    az(`echo '{"accessToken":"token","expires_on":4102444800,"tokenType":"Bearer"}'`);
    await requireAzureLogin("azurecli");
  });
});
