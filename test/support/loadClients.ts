import { once } from "node:events";
import { Agent, createServer, get, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { LoadOptions, Seen } from "./load.ts";

/*
 * Node's own client, which reuses a connection until it is told not to, and repeats nothing: a request that is lost
 * shows. (Load generators such as autocannon and wrk write on after `Connection: close`, and lose requests by themselves.)
 */

async function request(url: string, agent: Agent): Promise<void> {
  const sent = get(url, { agent, timeout: 10_000 });
  sent.once("timeout", () => sent.destroy(new Error("no answer within 10 s")));
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  response.resume();
  await once(response, "end");
  if (response.statusCode !== 200) throw new Error(`answered ${response.statusCode}`);
}

/** Answers that the clients get from themselves before they begin: those whose code is compiled meanwhile come late. */
const rehearsals = 3000;

/** Has the clients' code compiled, with a server that nobody else knows. */
async function rehearse(): Promise<void> {
  const server = createServer((_request, response) => void response.end("answered")).listen(0, "127.0.0.1");
  await once(server, "listening");
  const agent = new Agent({ keepAlive: true });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  for (let done = 0; done < rehearsals; done += 1) await request(url, agent);
  agent.destroy();
  server.close();
}

/** Sends requests until it is told to stop. */
async function send({ urls, rate, connections }: LoadOptions, stopped: Promise<unknown>): Promise<Seen> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections, scheduling: "fifo" });
  const failures: string[] = [];
  const latencies: number[] = [];
  const open = new Set<Promise<void>>();
  let over = false;
  stopped.then(() => {
    over = true;
  });
  const begin = performance.now();
  for (let sent = 0; !over; sent += 1) {
    const due = begin + (sent * 1000) / rate;
    const early = due - performance.now();
    if (early > 0) await sleep(early);
    const url = urls[sent % urls.length] as string;
    // A timer counts whole milliseconds, and may end before: what was sent early was not answered earlier.
    const from = Math.min(due, performance.now());
    const one = request(url, agent).then(
      () => {
        latencies.push(performance.now() - from);
      },
      (error: NodeJS.ErrnoException) => {
        const at = ((performance.now() - begin) / 1000).toFixed(1);
        failures.push(`${url} at ${at} s: ${error.code ?? error.message}`);
      },
    );
    open.add(one);
    one.then(() => open.delete(one));
  }
  await Promise.all(open);
  agent.destroy();
  return {
    requests: latencies.length + failures.length,
    failures,
    latencies: latencies.sort((a, b) => a - b),
  };
}

await rehearse();
process.send?.("ready");
const stopped = once(process, "message");
const seen = await send(JSON.parse(process.argv[2] as string) as LoadOptions, stopped);
process.send?.(seen, () => process.exit());
