import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { InputError } from "../config/error.ts";

/** Milliseconds that a local cluster or registry may take to answer anything at all. */
const timeout = 5000;

interface Answer {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
}

function get(
  url: URL,
  { headers = {}, anybody = false }: { headers?: Record<string, string>; anybody?: boolean } = {},
): Promise<Answer> {
  const request = url.protocol === "http:" ? httpRequest : httpsRequest;
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      { headers, timeout, agent: false, rejectUnauthorized: !anybody },
      (response) => {
        response.resume();
        resolve({ status: response.statusCode ?? 0, headers: response.headers });
      },
    );
    sent.on("timeout", () => sent.destroy(new Error(`no answer within ${timeout / 1000} s`)));
    sent.on("error", reject);
    sent.end();
  });
}

function reason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === "ECONNREFUSED" ? "nothing listens there" : message;
}

/**
 * Makes sure that the API server answers, before anything is built or registered.
 *
 * @throws InputError that names the server and why it does not
 */
export async function requireCluster(key: string, server: string, hint: string): Promise<void> {
  try {
    // Whether something answers, not who: the client that sends credentials there checks the certificate.
    await get(new URL("/readyz", server), { anybody: true });
  } catch (error) {
    throw new InputError({
      key,
      value: server,
      rule: `is a cluster that cannot be reached: ${reason(error)}`,
      hint,
    });
  }
}

/** Docker's rule: a registry on the loopback interface may speak plain HTTP. */
export function registryUrl(server: string): URL {
  const host = server.replace(/:\d+$/, "");
  return new URL(`${host === "localhost" || host.startsWith("127.") ? "http" : "https"}://${server}/v2/`);
}

/** Asks the token server that a registry named whether it knows the user. */
async function askTokenServer(challenge: string, authorization: string): Promise<Answer> {
  const field = (name: string) => new RegExp(`${name}="([^"]*)"`).exec(challenge)?.[1] ?? "";
  const url = new URL(field("realm"));
  url.searchParams.set("service", field("service"));
  return get(url, { headers: { authorization } });
}

/**
 * Makes sure that the registry answers and takes the credentials.
 *
 * @throws InputError that names the registry and user, never the password
 */
export async function requireRegistry(
  key: string,
  server: string,
  credentials: { username: string; password: string } | undefined,
  hint: string,
): Promise<void> {
  const authorization =
    credentials === undefined
      ? undefined
      : `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString("base64")}`;
  let answer: Answer;
  try {
    answer = await get(
      registryUrl(server),
      authorization === undefined ? {} : { headers: { authorization } },
    );
    const challenge = answer.headers["www-authenticate"];
    if (
      answer.status === 401 &&
      typeof challenge === "string" &&
      /^bearer /i.test(challenge) &&
      authorization !== undefined
    ) {
      answer = await askTokenServer(challenge, authorization);
    }
  } catch (error) {
    throw new InputError({
      key: `${key}.server`,
      value: server,
      rule: `is a registry that cannot be reached: ${reason(error)}`,
      hint,
    });
  }
  if (answer.status >= 400 && answer.status !== 401 && answer.status !== 403) {
    throw new InputError({
      key: `${key}.server`,
      value: server,
      rule: `is not a registry that works: it answered HTTP ${answer.status} to GET /v2/`,
      hint,
    });
  }
  if (answer.status === 401 || answer.status === 403) {
    throw credentials === undefined
      ? new InputError({
          key: `${key}.username`,
          rule: `is required: the registry ${server} asks for a user`,
          hint: "Set username and password",
        })
      : new InputError({
          key: `${key}.username`,
          value: credentials.username,
          rule: `is refused by the registry ${server}, or its password is wrong`,
          hint: "Correct username and password",
        });
  }
}
