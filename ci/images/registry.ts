import { Fault } from "../../infra/fault.ts";
import { registryUrl } from "../../infra/platform/reachable.ts";

/** A registry, and who may read it. */
export interface RegistryAccess {
  readonly server: string;
  readonly pull?: { readonly username: string; readonly password: string } | undefined;
}

/** Manifests of one platform and of several, by OCI's names and Docker's. */
const manifestTypes = [
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
].join(", ");

function basic({ pull }: RegistryAccess): string | undefined {
  return pull === undefined
    ? undefined
    : `Basic ${Buffer.from(`${pull.username}:${pull.password}`).toString("base64")}`;
}

/** The token that a registry's token server gives for a challenge, by the distribution specification. */
async function token(challenge: string, access: RegistryAccess): Promise<string> {
  const field = (name: string) => new RegExp(`${name}="([^"]*)"`).exec(challenge)?.[1];
  const url = new URL(field("realm") ?? "");
  for (const name of ["service", "scope"]) {
    const value = field(name);
    if (value !== undefined) url.searchParams.set(name, value);
  }
  const authorization = basic(access);
  const response = await fetch(url, {
    ...(authorization === undefined ? {} : { headers: { authorization } }),
    signal: AbortSignal.timeout(10_000),
  });
  const body = (await response.json()) as { token?: string; access_token?: string };
  return `Bearer ${body.token ?? body.access_token}`;
}

/**
 * Whether a registry still has an image.
 *
 * @param reference `registry/repository@sha256:…`
 * @throws Fault when the registry does not answer, or does not let this user look
 */
export async function hasImage(reference: string, access: RegistryAccess): Promise<boolean> {
  const [name = "", digest = ""] = reference.slice(access.server.length + 1).split("@");
  const url = new URL(`${name}/manifests/${digest}`, registryUrl(access.server));
  const look = (authorization: string | undefined) =>
    fetch(url, {
      method: "HEAD",
      headers: { accept: manifestTypes, ...(authorization === undefined ? {} : { authorization }) },
      signal: AbortSignal.timeout(10_000),
    });
  let status: number;
  try {
    let response = await look(basic(access));
    const challenge = response.headers.get("www-authenticate");
    if (response.status === 401 && challenge !== null && /^bearer /i.test(challenge))
      response = await look(await token(challenge, access));
    status = response.status;
  } catch (error) {
    const { cause, message } = error as Error & { cause?: { code?: string } };
    throw new Fault({
      what: `registry ${access.server}`,
      value: cause?.code ?? message,
      rule: "must answer",
      fix: "try again when it does: nothing was changed",
    });
  }
  if (status === 200) return true;
  if (status === 404) return false;
  throw new Fault({
    what: `registry ${access.server}`,
    value: `HTTP ${status}`,
    rule: `must let ${access.pull?.username ?? "anybody"} read ${name}`,
  });
}
