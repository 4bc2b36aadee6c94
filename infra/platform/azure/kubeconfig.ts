import { parse, stringify } from "yaml";
import type { AzurePlatform } from "../../config/azure.ts";

/** Application id of the AKS Entra server, the same for every AKS cluster. */
const aksServerId = "6dae42f8-4368-4678-94ff-3960e28e3630";

interface AksKubeconfig {
  readonly clusters: readonly { readonly name: string; readonly cluster: Record<string, unknown> }[];
}

/**
 * The kubeconfig that AKS gives to a user asks for a login in a browser. This one signs in through kubelogin as
 * whoever is signed in already, and never asks.
 *
 * @param aks base64 of the kubeconfig in AKS's answer
 * @param login kubelogin's `--login`
 */
export function kubeloginKubeconfig(aks: string, login: AzurePlatform["cluster"]["login"]): string {
  const { clusters } = parse(Buffer.from(aks, "base64").toString()) as AksKubeconfig;
  const cluster = clusters[0];
  if (cluster === undefined) throw new Error("AKS gave a kubeconfig without a cluster");
  return stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": cluster.name,
    clusters: [cluster],
    contexts: [{ name: cluster.name, context: { cluster: cluster.name, user: "kubelogin" } }],
    users: [
      {
        name: "kubelogin",
        user: {
          exec: {
            apiVersion: "client.authentication.k8s.io/v1",
            command: "kubelogin",
            args: ["get-token", "--login", login, "--server-id", aksServerId],
            installHint: "Install kubelogin: az aks install-cli",
            interactiveMode: "Never",
            provideClusterInfo: false,
          },
        },
      },
    ],
  });
}
