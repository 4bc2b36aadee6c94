import { execFileSync, fork } from "node:child_process";
import { once } from "node:events";

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

/**
 * Sends requests at a steady rate on kept-alive connections while something happens. The clients are a process of their
 * own, before all others of the machine: in life they are on other machines, and a client that gets no processor would
 * be taken for a server that is late.
 */
export async function underLoad(options: LoadOptions, happening: () => Promise<unknown>): Promise<Seen> {
  const clients = fork(new URL("./loadClients.ts", import.meta.url), [JSON.stringify(options)]);
  const ended = once(clients, "exit").then(([code]) => {
    throw new Error(`the clients have ended: ${code}`);
  });
  // Who waits for something else hears of it later.
  ended.catch(() => {});
  try {
    execFileSync("chrt", ["--all-tasks", "--fifo", "--pid", "1", String(clients.pid)], { stdio: "ignore" });
  } catch {
    // Not everybody may: late clients count as late servers then.
  }
  try {
    await Promise.race([once(clients, "message"), ended]);
    await Promise.race([happening(), ended]);
    const seen = once(clients, "message") as Promise<[Seen]>;
    clients.send("stop");
    return (await Promise.race([seen, ended]))[0];
  } finally {
    clients.kill();
  }
}
