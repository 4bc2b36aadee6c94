import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { connect } from "node:net";

export interface Call {
  /** With a socket the host part is only a header. */
  readonly url: string;
  readonly socketPath?: string;
  /** PEM. Without a CA the server's certificate is not verified: for probes on 127.0.0.1 that carry no secret. */
  readonly tls?: { readonly ca: Buffer; readonly cert: Buffer; readonly key: Buffer };
}

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** Enough for a TLS handshake on a slow, busy machine. */
const CALL_TIMEOUT_MS = 5000;

/** A GET. Rejects when nothing answers in time. */
export function get(call: Call): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const request = (call.url.startsWith("https:") ? httpsRequest : httpRequest)(call.url, {
    ...(call.socketPath === undefined ? {} : { socketPath: call.socketPath }),
    ...(call.tls ?? { rejectUnauthorized: false }),
    agent: false,
    signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
  });
  request.on("error", reject);
  request.on("response", (response) => {
    const chunks: Buffer[] = [];
    response.on("data", (chunk: Buffer) => chunks.push(chunk));
    response.on("error", reject);
    response.on("end", () => {
      resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString("utf8") });
    });
  });
  request.end();
  return promise;
}

/** A probe: undefined when the answer has the expected status, else why not. */
export async function probe(call: Call, expected = 200): Promise<string | undefined> {
  try {
    const { status, body } = await get(call);
    return status === expected ? undefined : `answers ${status}: ${body.slice(0, 200).trim()}`;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}

/** A probe of a Unix socket: undefined when something accepts connections. */
export function socketProbe(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(undefined);
    });
    socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}
