import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { FastifyInstance } from "fastify";

/**
 * The probes, and what clients see once `app.close()` has begun: connections are still accepted, every answer tells
 * its client to open a new one, and only then are those closed that nobody uses.
 *
 * HTTP/1.1 has no way to warn the client of an idle connection: closed at once, the request that is already on its
 * way there would be lost.
 *
 * @param drainSeconds how long clients have to be told; less when all are gone before
 */
export function addLifecycle(app: FastifyInstance, drainSeconds: number): void {
  const open = new Set<Socket>();
  // Browsers open spare connections. Node counts one without any request yet as active, so that closing
  // the server would wait for it.
  const unused = new Set<Socket>();
  let allGone = () => {};
  app.server.on("connection", (socket: Socket) => {
    open.add(socket);
    unused.add(socket);
    socket.once("close", () => {
      open.delete(socket);
      unused.delete(socket);
      if (open.size === 0) allGone();
    });
  });
  app.server.on("request", ({ socket }) => unused.delete(socket));

  let closing = false;
  app.addHook("preClose", async () => {
    closing = true;
    if (open.size > 0) {
      const waiting = new AbortController();
      const drained = new Promise<void>((resolve) => {
        allGone = resolve;
      });
      await Promise.race([drained, sleep(drainSeconds * 1000, undefined, { signal: waiting.signal })]);
      waiting.abort();
    }
    for (const socket of unused) socket.destroy();
  });

  app.addHook("onSend", async (_request, reply) => {
    if (closing) reply.header("connection", "close");
  });

  // Kubernetes asks every few seconds: log probes only when something is wrong.
  app.get("/healthz", { logLevel: "warn" }, async () => ({ status: "alive" }));
  app.get("/readyz", { logLevel: "warn" }, async (_request, reply) => {
    if (closing) return reply.code(503).send({ status: "shutting down" });
    return { status: "ready" };
  });
}
