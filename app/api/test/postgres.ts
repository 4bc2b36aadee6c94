import { PGlite } from "@electric-sql/pglite";
import { PGLiteSocketServer } from "@electric-sql/pglite-socket";
import { onTestFinished } from "vitest";

/** A PostgreSQL of the test's own, in this process, and the URL at which it answers. */
export async function startPostgres(): Promise<{ db: PGlite; url: string }> {
  const db = await PGlite.create();
  const server = new PGLiteSocketServer({ db, host: "127.0.0.1", port: 0, maxConnections: 10 });
  await server.start();
  onTestFinished(async () => {
    await server.stop();
    await db.close();
  });
  return { db, url: `postgres://postgres:hunter2@${server.getServerConn()}/postgres?sslmode=disable` };
}
