import { Client, type ClientConfig } from "pg";

/** How a connection to the database begins: soon, or not at all. */
export function connection(url: string): ClientConfig {
  return { connectionString: url, connectionTimeoutMillis: 5000, application_name: "slipway-api" };
}

/** A database that cannot be used: the message says which one, as whom, and why, and has no password in it. */
export class DatabaseError extends Error {
  override name = "DatabaseError";

  constructor(url: string, cause: unknown) {
    const { host, pathname, username } = new URL(url);
    const { message, code } = cause as NodeJS.ErrnoException;
    // Node's error for a host with several addresses has a code and no message.
    super(`database ${host}${pathname} as ${decodeURIComponent(username)}: ${message || code}`, { cause });
  }
}

/** A connection of its own. @throws DatabaseError */
export async function connect(url: string): Promise<Client> {
  const client = new Client(connection(url));
  try {
    await client.connect();
    return client;
  } catch (error) {
    throw new DatabaseError(url, error);
  }
}
