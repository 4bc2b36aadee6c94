import { createServer, request as forward, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream";
import type { ResourceManager } from "./arm.ts";
import type { Inputs } from "./armRules.ts";
import type { Backing } from "./rules.ts";

/** What a token's user did. */
interface Use {
  readonly user: string;
  readonly method: string;
  readonly path: string;
}

function credentialsOf({ headers }: IncomingMessage): readonly [user: string, password: string] {
  const [kind, encoded = ""] = (headers.authorization ?? "").split(" ");
  if (kind !== "Basic") return ["", ""];
  const [user = "", ...password] = Buffer.from(encoded, "base64").toString().split(":");
  return [user, password.join(":")];
}

/**
 * An Azure container registry in front of the embedded environment's: tokens sign in by the passwords that Azure made for
 * them, and may do what their scope maps say.
 */
export class ContainerRegistry {
  readonly used: Use[] = [];
  readonly #server: Server;
  readonly #real: Backing["registry"];

  constructor(
    real: Backing["registry"],
    { passwords }: ResourceManager,
    resources: () => Record<string, Inputs>,
  ) {
    this.#real = real;
    const [hostname, port] = real.server.split(":") as [string, string];
    const basic = (user: string, password: string) =>
      `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
    const mayDo = (user: string, path: string, method: string): boolean => {
      const all = resources();
      const token = Object.values(all).find(({ tokenName }) => tokenName === user);
      const actions = (all[token?.scopeMapId]?.actions ?? []) as string[];
      const repository = /^\/v2\/(.+)\/(manifests|blobs|tags)\//.exec(path)?.[1];
      const verb = method === "GET" || method === "HEAD" ? "read" : "write";
      return repository === undefined || actions.includes(`repositories/${repository}/content/${verb}`);
    };
    this.#server = createServer((request, response) => {
      const [user, password] = credentialsOf(request);
      const path = request.url ?? "";
      const method = request.method ?? "";
      const isAdmin =
        user === real.username &&
        password === real.password &&
        Object.values(resources()).some(({ adminUserEnabled }) => adminUserEnabled === true);
      const slots = [...(passwords.get(user)?.values() ?? [])];
      const isToken = slots.some(
        ({ value, expiry }) =>
          value === password && (expiry === undefined || Date.parse(expiry) > Date.now()),
      );
      if (!isAdmin && !isToken) {
        response.writeHead(401, { "www-authenticate": 'Basic realm="acr"' }).end();
        return;
      }
      if (isToken && !mayDo(user, path, method)) {
        response.writeHead(403).end();
        return;
      }
      this.used.push({ user, method, path });
      const headers = { ...request.headers, authorization: basic(real.username, real.password) };
      // What ends early at one side ends at the other: a client that gets no answer would wait for ever.
      const cut = (error: Error | null | undefined) => {
        if (error) response.destroy();
      };
      const passed = forward({ hostname, port, path, method, headers, agent: false }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        pipeline(answer, response, cut);
      });
      pipeline(request, passed, cut);
    });
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
  }

  /** Makes an image of the registry behind one of a repository of this one. @returns it, by digest */
  async adopt(image: string, repository: string): Promise<string> {
    const [, from = "", digest = ""] = /^[^/]+\/(.+)@(sha256:.+)$/.exec(image) ?? [];
    const { server, username, password } = this.#real;
    const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
    const request = async (method: string, path: string, more: RequestInit = {}) => {
      const headers = { ...(more.headers as Record<string, string>), authorization };
      const response = await fetch(`http://${server}/v2/${path}`, { ...more, method, headers });
      if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}`);
      return response;
    };
    const types = ["docker.distribution.manifest.v2", "oci.image.manifest.v1"];
    const accept = types.map((type) => `application/vnd.${type}+json`).join(", ");
    const found = await request("GET", `${from}/manifests/${digest}`, { headers: { accept } });
    const body = await found.text();
    const { config, layers } = JSON.parse(body) as {
      config: { digest: string };
      layers: { digest: string }[];
    };
    for (const blob of [config, ...layers])
      await request("POST", `${repository}/blobs/uploads/?mount=${blob.digest}&from=${from}`);
    const type = found.headers.get("content-type") as string;
    await request("PUT", `${repository}/manifests/${digest}`, { body, headers: { "content-type": type } });
    return `${this.server}/${repository}@${digest}`;
  }

  get server(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
