import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { registryUrl, requireCluster, requireRegistry } from "../../infra/platform/reachable.ts";

type Reply = { readonly status: number; readonly headers?: Record<string, string> };
type Answer = (request: IncomingMessage) => Reply | "hang up";

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

/** An HTTP server on the loopback interface, until the test ends. @returns host:port */
async function serve(answer: Answer): Promise<string> {
  const server = createServer((request, response) => {
    const reply = answer(request);
    if (reply === "hang up") request.socket.destroy();
    else response.writeHead(reply.status, reply.headers).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => close(server));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** host:port of a server that has just ended. */
async function nobody(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await close(server);
  return `127.0.0.1:${port}`;
}

const key = "slipway:platform.registry";
const credentials = { username: "ci", password: "hunter2" };
const basic = `Basic ${Buffer.from("ci:hunter2").toString("base64")}`;

async function messageOf(attempt: Promise<void>): Promise<string> {
  return attempt.then(
    () => "accepted",
    (error: Error) => error.message,
  );
}

test.each([200, 401, 403])(
  "a cluster that answers %i is there: what it lets whom do is another matter",
  async (status) => {
    const host = await serve(({ url }) => ({ status: url === "/readyz" ? status : 500 }));
    await expect(requireCluster("key", `http://${host}`, "Start it")).resolves.toBeUndefined();
  },
);

test("an unreachable cluster is refused with its address, the reason and what to do", async () => {
  const host = await nobody();
  expect(await messageOf(requireCluster("slipway:platform.context", `https://${host}`, "Start it"))).toBe(
    `slipway:platform.context = "https://${host}": is a cluster that cannot be reached: nothing listens there. Start it.`,
  );
});

test("a cluster that hangs up is unreachable", async () => {
  const host = await serve(() => "hang up");
  expect(await messageOf(requireCluster("slipway:platform.context", `http://${host}`, "Start it"))).toBe(
    `slipway:platform.context = "http://${host}": is a cluster that cannot be reached: socket hang up. Start it.`,
  );
});

test("a registry that asks nobody is accepted, and is told no credentials", async () => {
  const seen: (string | undefined)[] = [];
  const host = await serve(({ url, headers }) => {
    seen.push(`${url} ${headers.authorization}`);
    return { status: 200 };
  });
  expect(await messageOf(requireRegistry(key, host, undefined, "hint"))).toBe("accepted");
  expect(seen).toEqual(["/v2/ undefined"]);
});

test("a registry that is down is refused with its name, the reason and what to do", async () => {
  const host = await nobody();
  expect(await messageOf(requireRegistry(key, host, credentials, "Start it"))).toBe(
    `slipway:platform.registry.server = "${host}": is a registry that cannot be reached: nothing listens there. Start it.`,
  );
});

test("a registry takes the right user and password", async () => {
  const host = await serve(({ headers }) => ({ status: headers.authorization === basic ? 200 : 401 }));
  expect(await messageOf(requireRegistry(key, host, credentials, "hint"))).toBe("accepted");
});

test.each([401, 403])(
  "a registry that answers the credentials with %i refuses the user, whose password is not shown",
  async (status) => {
    const host = await serve(() => ({ status, headers: { "www-authenticate": 'Basic realm="registry"' } }));
    const message = await messageOf(requireRegistry(key, host, credentials, "hint"));
    expect(message).toBe(
      `slipway:platform.registry.username = "ci": is refused by the registry ${host}, or its password is wrong. Correct username and password.`,
    );
  },
);

test("a registry that asks for a user is refused when there is none", async () => {
  const host = await serve(() => ({ status: 401 }));
  expect(await messageOf(requireRegistry(key, host, undefined, "hint"))).toBe(
    `slipway:platform.registry.username: is required: the registry ${host} asks for a user. Set username and password.`,
  );
});

/** A registry that sends its clients to a token server, as ACR and Docker Hub do. */
async function registryWithTokens(tokens: Answer): Promise<string> {
  const tokenServer = await serve(tokens);
  return serve(() => ({
    status: 401,
    headers: {
      "www-authenticate": `Bearer realm="http://${tokenServer}/oauth2/token",service="registry.example"`,
    },
  }));
}

test("a registry with a token server takes who the token server knows", async () => {
  const seen: (string | undefined)[] = [];
  const host = await registryWithTokens(({ url, headers }) => {
    seen.push(url);
    return { status: headers.authorization === basic ? 200 : 401 };
  });
  expect(await messageOf(requireRegistry(key, host, credentials, "hint"))).toBe("accepted");
  expect(seen).toEqual(["/oauth2/token?service=registry.example"]);
});

test("a registry with a token server refuses who the token server does not know", async () => {
  const host = await registryWithTokens(() => ({ status: 401 }));
  expect(await messageOf(requireRegistry(key, host, credentials, "hint"))).toBe(
    `slipway:platform.registry.username = "ci": is refused by the registry ${host}, or its password is wrong. Correct username and password.`,
  );
});

test("a token server that is down is a registry that cannot be reached", async () => {
  const tokenServer = await nobody();
  const host = await serve(() => ({
    status: 401,
    headers: { "www-authenticate": `Bearer realm="http://${tokenServer}/token",service="r"` },
  }));
  expect(await messageOf(requireRegistry(key, host, credentials, "Start it"))).toBe(
    `slipway:platform.registry.server = "${host}": is a registry that cannot be reached: nothing listens there. Start it.`,
  );
});

test.each([
  ["localhost", "http://localhost/v2/"],
  ["localhost:5001", "http://localhost:5001/v2/"],
  ["127.0.0.1:5000", "http://127.0.0.1:5000/v2/"],
  ["registry.example", "https://registry.example/v2/"],
  ["localhost.example:5000", "https://localhost.example:5000/v2/"],
])("only a registry on the loopback interface is spoken to in plain HTTP: %s", (server, url) => {
  expect(registryUrl(server).href).toBe(url);
});

test.each([404, 500, 503])(
  "a server that answers %i to a registry's first question is no registry",
  async (status) => {
    const host = await serve(() => ({ status }));
    expect(await messageOf(requireRegistry("slipway:platform.registry", host, undefined, "Start it"))).toBe(
      `slipway:platform.registry.server = "${host}": is not a registry that works: it answered HTTP ${status} to GET /v2/. Start it.`,
    );
  },
);
