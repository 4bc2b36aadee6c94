import { once } from "node:events";
import { Agent, get, type IncomingMessage } from "node:http";
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
    const one = request(url, agent).then(
      () => {
        latencies.push(performance.now() - due);
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

const seen = await send(JSON.parse(process.argv[2] as string) as LoadOptions, once(process, "message"));
process.send?.(seen, () => process.exit());
