import { connect, createServer, type Socket } from "node:net";
import { Fault } from "../infra/fault.ts";

const MACHINE = "\0slipway";

/** Held by one process at a time; freed by the kernel when the process ends, however it ends. */
export interface Lock {
  release(): Promise<void>;
}

/**
 * Takes the machine's lock: an abstract Unix socket, so there is no file to go stale. Whoever connects is told who
 * holds it. One for the machine, because bridges, packet filters and the tool cache are.
 *
 * @param task what the lock is held for, for those who wait
 * @param onWait told once who holds the lock, when it is not free at once
 */
export async function takeLock(
  task: string,
  onWait: (holder: string) => void,
  name: string = MACHINE,
): Promise<Lock> {
  let told = false;
  for (;;) {
    const lock = await listen(name, `${task} (pid ${process.pid})`);
    if (lock !== undefined) return lock;
    await untilClosed(name, (holder) => {
      if (!told) onWait(holder);
      told = true;
    });
  }
}

function listen(name: string, holder: string): Promise<Lock | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<Lock | undefined>();
  const waiting = new Set<Socket>();
  const server = createServer((socket) => {
    waiting.add(socket);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => waiting.delete(socket));
    socket.unref();
    socket.write(holder);
  });
  server.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EADDRINUSE") resolve(undefined);
    else reject(new Fault({ what: "the lock", value: error.message, rule: "must be available" }));
  });
  server.listen({ path: name }, () => {
    server.unref();
    resolve({
      release: () =>
        new Promise((done) => {
          server.close(() => done());
          for (const socket of waiting) socket.destroy();
        }),
    });
  });
  return promise;
}

/** Waits until the holder lets go or ends: either closes the connection. */
function untilClosed(name: string, onHolder: (holder: string) => void): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ path: name });
    socket.on("data", (data) => onHolder(data.toString("utf8")));
    socket.on("error", () => resolve());
    socket.on("close", () => resolve());
  });
}
