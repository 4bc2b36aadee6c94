import { connect, createServer } from "node:net";
import { Fault } from "./fault.ts";

const NAME = "\0slipway";

/** Held by one process at a time; freed by the kernel when the process ends, however it ends. */
export interface Lock {
  release(): Promise<void>;
}

/**
 * Takes the machine's lock: an abstract Unix socket, so there is no file to go stale. Whoever connects is told who
 * holds it. One for the machine, because bridges, packet filters and the tool cache are.
 *
 * @param onWait told once who holds the lock, when it is not free at once
 */
export async function takeLock(task: string, onWait: (holder: string) => void): Promise<Lock> {
  let told = false;
  for (;;) {
    const lock = await listen(`${task} (pid ${process.pid})`);
    if (lock !== undefined) return lock;
    await untilClosed((holder) => {
      if (!told) onWait(holder);
      told = true;
    });
  }
}

function listen(holder: string): Promise<Lock | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<Lock | undefined>();
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.unref();
    socket.write(holder);
  });
  server.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EADDRINUSE") resolve(undefined);
    else reject(new Fault({ what: "the lock", value: error.message, rule: "must be available" }));
  });
  server.listen(() => {
    server.unref();
    const sockets = new Set<{ destroy(): void }>();
    server.on("connection", (socket) => sockets.add(socket));
    resolve({
      release: () => {
        for (const socket of sockets) socket.destroy();
        return new Promise((done) => server.close(() => done()));
      },
    });
  });
  return promise;
}

function untilClosed(onHolder: (holder: string) => void): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(NAME);
    socket.on("data", (data) => onHolder(data.toString("utf8")));
    socket.on("error", () => resolve());
    socket.on("close", () => resolve());
  });
}
