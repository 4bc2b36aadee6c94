import { once } from "node:events";
import { Agent, get, type IncomingMessage } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

/** What clients saw while something happened. */
export interface Seen {
  readonly requests: number;
  /** Each request that got no 200, and why. */
  readonly failures: readonly string[];
  /** Milliseconds from when each request was due, ascending. */
  readonly latencies: readonly number[];
}

/** Requests that are due at fixed times, whether the ones before are answered or not. */
export interface LoadOptions {
  readonly urls: readonly string[];
  /** Requests a second, over all URLs. */
  readonly rate: number;
  /** Kept-alive connections to each URL's host and port. */
  readonly connections: number;
}

/** The value that this share of all values does not exceed: 0.99 for p99. */
export function percentile(ascending: readonly number[], share: number): number {
  return ascending[Math.max(0, Math.ceil(share * ascending.length) - 1)] ?? Number.NaN;
}

async function request(url: string, agent: Agent): Promise<void> {
  const sent = get(url, { agent, timeout: 10_000 });
  sent.once("timeout", () => sent.destroy(new Error("no answer within 10 s")));
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  response.resume();
  await once(response, "end");
  if (response.statusCode !== 200) throw new Error(`answered ${response.statusCode}`);
}

/**
 * Sends requests at a steady rate on kept-alive connections while something happens.
 *
 * Node's own client, which reuses a connection until it is told not to, and repeats nothing: a request that is lost
 * shows. (Load generators such as autocannon and wrk write on after `Connection: close`, and lose requests by themselves.)
 */
export async function underLoad(options: LoadOptions, happening: () => Promise<unknown>): Promise<Seen> {
  const { urls, rate, connections } = options;
  const agent = new Agent({ keepAlive: true, maxSockets: connections, scheduling: "fifo" });
  const failures: string[] = [];
  const latencies: number[] = [];
  const open = new Set<Promise<void>>();
  let over = false;
  const begin = performance.now();

  async function sendAll(): Promise<void> {
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
  }

  const sending = sendAll();
  try {
    await happening();
  } finally {
    over = true;
    await sending;
    await Promise.all(open);
    agent.destroy();
  }
  return {
    requests: latencies.length + failures.length,
    failures,
    latencies: latencies.sort((a, b) => a - b),
  };
}
