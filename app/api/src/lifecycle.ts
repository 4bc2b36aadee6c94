import type { Socket } from "node:net";
import type { FastifyInstance } from "fastify";

/** The probes, and what clients see once `app.close()` has begun. */
export function addLifecycle(app: FastifyInstance): void {
  // Browsers open spare connections. Node counts one without any request yet as active, so that closing
  // the server would wait for it.
  const unused = new Set<Socket>();
  app.server.on("connection", (socket: Socket) => {
    unused.add(socket);
    socket.once("close", () => unused.delete(socket));
  });
  app.server.on("request", ({ socket }) => unused.delete(socket));

  let closing = false;
  app.addHook("preClose", async () => {
    closing = true;
    for (const socket of unused) socket.destroy();
  });

  // Without this the client of an in-flight request would keep its connection, and hold the close open.
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
