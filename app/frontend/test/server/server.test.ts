import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { expect, onTestFinished, test } from "vitest";
import { webRoot } from "./webRoot.ts";

type LogLine = Record<string, unknown>;

/** The service as its own process, the way a container runs it. */
function run(env: Record<string, string>) {
  const child = spawn(process.execPath, ["server/server.ts"], {
    cwd: new URL("../..", import.meta.url),
    env: { HOST: "127.0.0.1", PORT: "0", WEB_ROOT: webRoot, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const log = createInterface({ input: child.stdout })[Symbol.asyncIterator]();

  return {
    stderr: text(child.stderr),
    exitCode: once(child, "exit").then(([code]) => code as number | null),
    kill: (signal: NodeJS.Signals) => child.kill(signal),

    /** Reads the log up to the first line whose message matches, and returns what it read. */
    async logUntil(message: RegExp): Promise<LogLine[]> {
      const lines: LogLine[] = [];
      for (let next = await log.next(); !next.done; next = await log.next()) {
        const line = JSON.parse(next.value) as LogLine;
        lines.push(line);
        if (message.test(String(line.msg))) return lines;
      }
      throw new Error(`no log line matches ${message}: ${JSON.stringify(lines)}`);
    },
  };
}

/** The service, with a request in flight: one whose body never comes. */
async function runWithRequest(env: Record<string, string>) {
  const server = run(env);
  const listening = (await server.logUntil(/listening/)).at(-1);
  const socket = connect(Number(/:(\d+)$/.exec(String(listening?.msg))?.[1]), "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  // The process that ends takes the connection with it.
  socket.on("error", () => {});
  socket.write(
    "POST / HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n",
  );
  await server.logUntil(/incoming request/);
  return server;
}

test.each(["SIGTERM", "SIGINT"] as const)("%s ends the process with 0", async (signal) => {
  const server = run({});
  await server.logUntil(/listening/);
  server.kill(signal);
  expect((await server.logUntil(/closed/)).map(({ msg }) => msg)).toEqual(["closing", "closed"]);
  expect(await server.exitCode).toBe(0);
});

test("a request that outlasts the timeout does not keep the process: it ends with 1", async () => {
  const server = await runWithRequest({ SHUTDOWN_TIMEOUT_SECONDS: "1" });
  server.kill("SIGTERM");
  await server.logUntil(/killed by timeout/);
  expect(await server.exitCode).toBe(1);
});

test("a second signal ends the process with 1, long before the timeout", async () => {
  const server = await runWithRequest({ SHUTDOWN_TIMEOUT_SECONDS: "600" });
  server.kill("SIGTERM");
  await server.logUntil(/closing/);
  server.kill("SIGTERM");
  expect(await server.exitCode).toBe(1);
});

test("each log line is JSON that names its level, build and pod", async () => {
  const server = run({ BUILD_NUMBER: "42", POD_NAME: "frontend-5c9f" });
  for (const line of await server.logUntil(/listening/)) {
    expect(line).toMatchObject({
      level: "info",
      build: "42",
      pod: "frontend-5c9f",
      time: expect.any(String),
    });
  }
});

test("a bad environment ends the process with 1 and one line that says why", async () => {
  const server = run({ PORT: "http" });
  expect(await server.exitCode).toBe(1);
  expect(await server.stderr).toBe(
    'invalid environment: PORT="http": must be a whole number from 0 to 65535\n',
  );
});

test("a static root without a page ends the process with 1 and one line that says why", async () => {
  const server = run({ WEB_ROOT: "/nowhere" });
  expect(await server.exitCode).toBe(1);
  expect(await server.stderr).toBe(
    "invalid environment: WEB_ROOT=\"/nowhere\": ENOENT: no such file or directory, open '/nowhere/index.html'\n",
  );
});

test("an address that cannot be listened on ends the process with 1", async () => {
  const server = run({ HOST: "192.0.2.1" });
  await server.logUntil(/closing after an error/);
  expect(await server.exitCode).toBe(1);
});
