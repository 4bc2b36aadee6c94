import { once } from "node:events";
import { Agent, get, type IncomingMessage } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test, vi } from "vitest";
import { buildApp } from "../../server/app.ts";
import { readConfig } from "../../server/config.ts";
import { webRoot } from "./webRoot.ts";

/** The service on a free port, with a route that answers only when the test says so. */
async function listen(timeoutSeconds = 1) {
  const app = await buildApp(
    readConfig({ LOG_LEVEL: "silent", WEB_ROOT: webRoot, SHUTDOWN_TIMEOUT_SECONDS: String(timeoutSeconds) }),
  );
  const started = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  app.get("/slow", async () => {
    started.resolve();
    await release.promise;
    return { done: true };
  });
  await app.listen({ host: "127.0.0.1", port: 0 });
  const { port } = app.server.address() as AddressInfo;
  const agent = new Agent({ keepAlive: true });
  onTestFinished(() => agent.destroy());

  async function request(path: string) {
    const sent = get({ host: "127.0.0.1", port, path, agent });
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    const { statusCode: status, headers } = response;
    return { status, headers, body: await text(response), reused: sent.reusedSocket };
  }
  return { app, port, request, started: started.promise, release: release.resolve };
}

test("a request in flight finishes, and its connection is closed after it", async () => {
  const { app, request, started, release } = await listen();
  const slow = request("/slow");
  await started;
  const closed = app.close();
  await vi.waitFor(() => expect(app.server.listening).toBe(false));
  release();
  const { status, headers, body } = await slow;
  expect(status).toBe(200);
  expect(JSON.parse(body)).toEqual({ done: true });
  expect(headers.connection).toBe("close");
  await closed;
});

test("an idle kept-alive connection is still served after shutdown began, and told to go", async () => {
  const { app, request } = await listen(600);
  const before = await request("/healthz");
  expect(before.headers.connection).toBe("keep-alive");
  const closed = app.close();
  // Closed too early, the connection that the client takes up again here would be reset.
  await sleep(50);
  const { status, headers, reused } = await request("/build.json");
  expect({ status, connection: headers.connection, reused }).toEqual({
    status: 200,
    connection: "close",
    reused: true,
  });
  // Nobody is left to be told: the shutdown does not wait any longer.
  await closed;
});

test("while shutting down the service is alive but not ready, and takes new connections", async () => {
  const { app, port, request } = await listen(600);
  const lasting = connect(port, "127.0.0.1");
  await once(app.server, "connection");
  const closed = app.close();
  const answers = [];
  for (const path of ["/healthz", "/readyz"]) {
    const { status, headers } = await request(path);
    answers.push({ path, status, connection: headers.connection });
  }
  expect(answers).toEqual([
    { path: "/healthz", status: 200, connection: "close" },
    { path: "/readyz", status: 503, connection: "close" },
  ]);
  lasting.destroy();
  await closed;
});

test("an idle kept-alive connection does not hold the shutdown", async () => {
  const { app, request } = await listen();
  await request("/healthz");
  await app.close();
  expect(app.server.listening).toBe(false);
});

test("a connection that never sent a request does not hold the shutdown", async () => {
  const { app, port } = await listen();
  const socket = connect(port, "127.0.0.1");
  await once(app.server, "connection");
  const gone = once(socket, "close");
  socket.resume();
  await app.close();
  await gone;
});

test("without any connection the service closes at once", async () => {
  const { app } = await listen(600);
  await app.close();
  expect(app.server.listening).toBe(false);
});
