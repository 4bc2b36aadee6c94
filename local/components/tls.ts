import { readFileSync } from "node:fs";
import { parse } from "yaml";
import type { Call } from "../http.ts";

type Tls = NonNullable<Call["tls"]>;

/** Client credentials for a probe. */
export function readTls(ca: string, cert: string, key: string): Tls {
  return { ca: readFileSync(ca), cert: readFileSync(cert), key: readFileSync(key) };
}

/** Client credentials of a kubeconfig with everything inline. */
export function kubeconfigTls(path: string): Tls {
  const config = parse(readFileSync(path, "utf8")) as {
    clusters: [{ cluster: { "certificate-authority-data": string } }];
    users: [{ user: { "client-certificate-data": string; "client-key-data": string } }];
  };
  const { user } = config.users[0];
  return {
    ca: Buffer.from(config.clusters[0].cluster["certificate-authority-data"], "base64"),
    cert: Buffer.from(user["client-certificate-data"], "base64"),
    key: Buffer.from(user["client-key-data"], "base64"),
  };
}
