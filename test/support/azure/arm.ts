import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { execaSync } from "execa";
import type { Inputs } from "./armRules.ts";

interface Password {
  readonly value: string;
  readonly expiry?: string;
}

/**
 * Azure Resource Manager itself, as far as Azure's SDK calls it past the azure-native provider: passwords of registry
 * tokens. It is reached as `management.azure.com` through a proxy, by TLS with a certificate of its own.
 */
export class ResourceManager {
  /** Passwords that sign in, by token and slot. */
  readonly passwords = new Map<string, Map<string, Password>>();
  /** Tokens whose passwords were revoked. */
  readonly revoked: string[] = [];
  /** Number of requests that are answered "too many requests" before one is served. */
  throttled = 0;
  readonly #resources: () => Record<string, Inputs>;
  readonly #certificate: string;
  readonly #proxy: Server;

  /** @param resources what azure-native made, by id */
  constructor(directory: string, resources: () => Record<string, Inputs>) {
    this.#resources = resources;
    this.#certificate = join(directory, "management.crt");
    const key = join(directory, "management.key");
    const host = "management.azure.com";
    const made = ["-keyout", key, "-out", this.#certificate, "-subj", `/CN=${host}`, "-days", "2"];
    const kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    execaSync("openssl", ["req", ...kind, ...made, "-addext", `subjectAltName=DNS:${host}`]);
    const server = createTlsServer(
      { key: readFileSync(key), cert: readFileSync(this.#certificate) },
      (request, response) => void this.#answer(request, response),
    );
    this.#proxy = createServer((_, response) => response.writeHead(403).end());
    this.#proxy.on("connect", (request, socket) => {
      if (request.url !== `${host}:443`) return socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      return server.emit("connection", socket);
    });
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#proxy.listen(0, "127.0.0.1", resolve));
  }

  /** Environment of a process whose calls of Azure are to end here. */
  get env(): Record<string, string> {
    return {
      HTTPS_PROXY: `http://127.0.0.1:${(this.#proxy.address() as AddressInfo).port}`,
      NO_PROXY: "127.0.0.1,localhost",
      NODE_EXTRA_CA_CERTS: this.#certificate,
    };
  }

  stop(): void {
    this.#proxy.close();
    this.#proxy.closeAllConnections();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const reply = (status: number, body: object, headers: Record<string, string> = {}) =>
      response
        .writeHead(status, { "content-type": "application/json", ...headers })
        .end(JSON.stringify(body));
    if (request.headers.authorization !== "Bearer token")
      return void reply(401, { error: { code: "AuthenticationFailed", message: "no bearer token" } });
    if (this.throttled > 0) {
      this.throttled -= 1;
      const error = { code: "TooManyRequests", message: "wait a moment" };
      return void reply(429, { error }, { "retry-after-ms": "100" });
    }
    const path = request.url?.split("?")[0] as string;
    const body = JSON.parse(Buffer.concat(chunks).toString() || "{}") as Inputs;
    if (request.method === "POST" && path.endsWith("/generateCredentials"))
      return void reply(200, this.#generate(body));
    if (request.method === "PATCH" && path in this.#resources()) {
      const token = path.split("/").at(-1) as string;
      this.passwords.set(token, new Map());
      this.revoked.push(token);
      return void reply(200, { id: path, name: token, properties: { provisioningState: "Succeeded" } });
    }
    reply(404, { error: { code: "ResourceNotFound", message: `nothing is at ${path}` } });
  }

  #generate({ tokenId, name, expiry }: Inputs): object {
    if (!(tokenId in this.#resources())) return { error: { code: "TokenNotFound", message: tokenId } };
    const token = tokenId.split("/").at(-1) as string;
    const slots = this.passwords.get(token) ?? new Map<string, Password>();
    slots.set(name, { value: randomBytes(16).toString("hex"), ...(expiry ? { expiry } : {}) });
    this.passwords.set(token, slots);
    return {
      username: token,
      // The other slot's value is shown to nobody again.
      passwords: [...slots].map(([slot, { value }]) => ({ name: slot, ...(slot === name ? { value } : {}) })),
    };
  }
}
