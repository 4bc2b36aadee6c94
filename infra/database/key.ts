import { createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto";
import type { Cluster } from "../platform/platform.ts";

/** Name of the Secret that has the key, and outlives the stack together with the volume. */
export const keySecretName = "database-key";

/**
 * The key from which a server's passwords are derived: the one in the cluster, where it is there, so that every way of
 * delivering finds the passwords that the volume was made with; else a new one.
 */
export async function databaseKey({ read }: Pick<Cluster, "read">, namespace: string): Promise<string> {
  const found = (await read?.("v1", "Secret", namespace, keySecretName)) as
    | { readonly data?: { readonly key?: string } }
    | undefined;
  return found?.data?.key ?? randomBytes(32).toString("base64");
}

/**
 * A password of 256 bits that only the key's holder can compute.
 *
 * @param key base64
 * @param purpose whose password it is
 */
export function derivePassword(key: string, purpose: string): string {
  return createHmac("sha256", Buffer.from(key, "base64")).update(purpose).digest("base64url");
}

const iterations = 4096;

/**
 * What PostgreSQL keeps of a password (RFC 5803): given that, a server never sees the password itself, nor do its logs.
 *
 * @param password ASCII
 * @param salt 16 bytes
 */
export function scramVerifier(password: string, salt: Buffer): string {
  const salted = pbkdf2Sync(password, salt, iterations, 32, "sha256");
  const keyed = (purpose: string) => createHmac("sha256", salted).update(purpose).digest();
  const stored = createHash("sha256").update(keyed("Client Key")).digest("base64");
  const server = keyed("Server Key").toString("base64");
  return `SCRAM-SHA-256$${iterations}:${salt.toString("base64")}$${stored}:${server}`;
}
