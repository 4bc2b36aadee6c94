import { X509Certificate } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { digestOf, readIfPresent, writeFileAtomic } from "./files.ts";
import { run } from "./run.ts";
import { NAME, network, type Settings } from "./settings.ts";
import { KUBERNETES_VERSION } from "./toolFamilies.ts";
import type { Tools } from "./tools.ts";

/** Who talks to the API server: kubeconfig file, user and group. */
const identities = {
  admin: { user: "slipway-admin", groups: ["system:masters"] },
  "controller-manager": { user: "system:kube-controller-manager", groups: [] },
  scheduler: { user: "system:kube-scheduler", groups: [] },
  kubelet: { user: `system:node:${NAME}`, groups: ["system:nodes"] },
  proxy: { user: "system:kube-proxy", groups: [] },
} as const;

/** Who was added later: a new component must not renew everybody's certificates. */
const laterIdentities = {
  volumes: { user: "slipway:volumes", groups: [] },
} as const;

export type Identity = keyof typeof identities | keyof typeof laterIdentities;

/** Path of a certificate or key that kubeadm made, such as `ca.crt` or `etcd/server.key`. */
export function pkiPath(settings: Settings, file: string): string {
  return join(settings.stateDir, "pki", file);
}

export function kubeconfigPath(settings: Settings, identity: Identity): string {
  return join(settings.stateDir, `${identity}.kubeconfig`);
}

/** Paths of the certificates that are not valid at this machine's time: any more, or not yet. */
function invalidCertificates(settings: Settings): string[] {
  const now = Date.now();
  return readdirSync(pkiPath(settings, ""), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".crt"))
    .map((file) => pkiPath(settings, file))
    .filter((path) => {
      const { validFromDate, validToDate } = new X509Certificate(readFileSync(path));
      return now < validFromDate.getTime() || validToDate.getTime() <= now;
    });
}

/** Takes away what is not valid: kubeadm makes what is missing. Without its authority no certificate is worth anything. */
function removeCertificates(settings: Settings, invalid: readonly string[]): void {
  if (invalid.length === 0 || invalid.some((path) => path.endsWith("ca.crt")))
    rmSync(pkiPath(settings, ""), { recursive: true, force: true });
  for (const path of invalid)
    for (const file of [path, path.replace(/crt$/, "key")]) rmSync(file, { force: true });
}

/**
 * Lets kubeadm make the certificates, and kubeconfigs with certificates of their own. Made once, and anew when one is
 * not valid any more, or not yet: a clock that was wrong when they were made.
 *
 * @returns whether they are new: who has read the old ones must be started again
 */
export async function makePki(settings: Settings, tools: Tools): Promise<boolean> {
  const areNew = await makeCertificates(settings, tools);
  for (const [identity, user] of Object.entries(laterIdentities))
    if (!existsSync(kubeconfigPath(settings, identity as Identity)))
      await makeKubeconfig(settings, tools, identity as Identity, user);
  return areNew;
}

async function makeCertificates(settings: Settings, tools: Tools): Promise<boolean> {
  const config = kubeadmConfig(settings);
  const marker = pkiPath(settings, "complete");
  const version = digestOf(config, JSON.stringify(identities));
  const files = (Object.keys(identities) as Identity[]).map((identity) => kubeconfigPath(settings, identity));
  const later = (Object.keys(laterIdentities) as Identity[]).map((identity) =>
    kubeconfigPath(settings, identity),
  );
  const complete = readIfPresent(marker) === version && files.every((file) => existsSync(file));
  const invalid = complete ? invalidCertificates(settings) : [];
  if (complete && invalid.length === 0) return false;

  removeCertificates(settings, invalid);
  for (const file of later) rmSync(file, { force: true });
  mkdirSync(pkiPath(settings, ""), { recursive: true, mode: 0o700 });
  writeFileAtomic(configPath(settings), config);
  const phase = ["init", "phase", "certs", "all", "--config", configPath(settings)];
  await run(join(tools.bin, "kubeadm"), phase, { env: { HOME: settings.stateDir } });
  for (const [identity, user] of Object.entries(identities))
    await makeKubeconfig(settings, tools, identity as Identity, user);
  // Written last: an interrupted run makes all of it again rather than trust a part.
  writeFileAtomic(marker, version);
  return true;
}

function configPath(settings: Settings): string {
  return join(settings.stateDir, "kubeadm.yaml");
}

async function makeKubeconfig(
  settings: Settings,
  tools: Tools,
  identity: Identity,
  { user, groups }: { readonly user: string; readonly groups: readonly string[] },
): Promise<void> {
  const organisations = groups.flatMap((group) => ["--org", group]);
  const text = await run(
    join(tools.bin, "kubeadm"),
    ["kubeconfig", "user", "--client-name", user, ...organisations, "--config", configPath(settings)],
    { env: { HOME: settings.stateDir } },
  );
  writeFileAtomic(kubeconfigPath(settings, identity), withContext(text));
}

/** kubeadm names the context after user and cluster: people get to type the environment's name. */
function withContext(text: string): string {
  const config = parse(text) as { contexts: { name: string }[]; "current-context": string };
  for (const context of config.contexts) context.name = NAME;
  config["current-context"] = NAME;
  return stringify(config);
}

function kubeadmConfig(settings: Settings): string {
  const tenYears = "87600h0m0s";
  const cluster = {
    apiVersion: "kubeadm.k8s.io/v1beta4",
    kind: "ClusterConfiguration",
    clusterName: NAME,
    kubernetesVersion: KUBERNETES_VERSION,
    certificatesDir: pkiPath(settings, ""),
    // Stop and start make new ones in a second; nobody should meet an expired one before.
    certificateValidityPeriod: tenYears,
    caCertificateValidityPeriod: tenYears,
    encryptionAlgorithm: "ECDSA-P256",
    controlPlaneEndpoint: `127.0.0.1:${settings.ports.apiServer}`,
    networking: {
      serviceSubnet: network.serviceCidr,
      podSubnet: network.podCidr,
      dnsDomain: network.clusterDomain,
    },
    apiServer: { certSANs: ["127.0.0.1", "localhost", network.nodeAddress, network.apiService] },
    etcd: { local: { dataDir: join(settings.stateDir, "etcd") } },
  };
  const init = {
    apiVersion: "kubeadm.k8s.io/v1beta4",
    kind: "InitConfiguration",
    localAPIEndpoint: { advertiseAddress: network.nodeAddress, bindPort: settings.ports.apiServer },
    nodeRegistration: { name: NAME, criSocket: `unix://${settings.runDir}/containerd.sock` },
  };
  return [cluster, init].map((document) => stringify(document)).join("---\n");
}
