import { once } from "node:events";
import { Agent, get, type IncomingMessage } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { text } from "node:stream/consumers";
import { expect, onTestFinished, test, vi } from "vitest";
import { buildApp } from "../src/app.ts";
import { readConfig } from "../src/config.ts";

/** The service on a free port, with a route that answers only when the test says so. */
async function listen(whileClosing = async () => {}) {
  const app = await buildApp(readConfig({ LOG_LEVEL: "silent" }));
  const started = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  app.get("/slow", async () => {
    started.resolve();
    await release.promise;
    return { done: true };
  });
  // Runs after the service's own hook and before the socket closes.
  app.addHook("preClose", whileClosing);
  await app.listen({ host: "127.0.0.1", port: 0 });
  const { port } = app.server.address() as AddressInfo;
  const agent = new Agent({ keepAlive: true });
  onTestFinished(() => agent.destroy());

  async function request(path: string) {
    const [response] = (await once(get({ host: "127.0.0.1", port, path, agent }), "response")) as [
      IncomingMessage,
    ];
    return { status: response.statusCode, headers: response.headers, body: await text(response) };
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

test("while shutting down the service is alive but not ready, and still answers", async () => {
  const answers: Array<{ path: string; status: number | undefined; connection: string | undefined }> = [];
  const { app, request } = await listen(async () => {
    for (const path of ["/healthz", "/readyz", "/api/greeting"]) {
      const { status, headers } = await request(path);
      answers.push({ path, status, connection: headers.connection });
    }
  });
  await app.close();
  expect(answers).toEqual([
    { path: "/healthz", status: 200, connection: "close" },
    { path: "/readyz", status: 503, connection: "close" },
    { path: "/api/greeting", status: 200, connection: "close" },
  ]);
});

test("an idle kept-alive connection does not hold the shutdown", async () => {
  const { app, request } = await listen();
  const { headers } = await request("/healthz");
  expect(headers.connection).toBe("keep-alive");
  await app.close();
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
