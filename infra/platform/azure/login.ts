import { AzureCliCredential, WorkloadIdentityCredential } from "@azure/identity";
import type { AzurePlatform } from "../../config/azure.ts";
import { InputError } from "../../config/error.ts";

const credentials = {
  azurecli: { make: () => new AzureCliCredential(), hint: "Sign in by: az login" },
  workloadidentity: {
    make: () => new WorkloadIdentityCredential(),
    hint: "Set AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_FEDERATED_TOKEN_FILE, as azure/login does in CI",
  },
} as const;

/**
 * Makes sure that somebody is signed in to Azure in the way that the stack says, before anything is created.
 *
 * @throws InputError that tells how to sign in
 */
export async function requireAzureLogin(login: AzurePlatform["cluster"]["login"]): Promise<void> {
  const { make, hint } = credentials[login];
  try {
    await make().getToken("https://management.azure.com/.default");
  } catch (error) {
    throw new InputError({
      key: "slipway:platform.cluster.login",
      value: login,
      rule: `needs somebody to be signed in to Azure: ${(error as Error).message.split("\n")[0]}`,
      hint,
    });
  }
}
