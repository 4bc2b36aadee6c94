import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { PG_MIGRATE_LOCK_ID, runner } from "node-pg-migrate";
import type { Client, DatabaseError as PostgresError } from "pg";
import { connect } from "./database.ts";

/** Migrations that cannot be applied. Nothing was changed. */
export class MigrationError extends Error {
  override name = "MigrationError";
}

/** Digest of each migration's file by name, in order. */
async function digests(directory: string): Promise<Map<string, string>> {
  const files = (await readdir(directory)).filter((file) => file.endsWith(".sql")).sort();
  const entries = files.map(async (file) => {
    const content = await readFile(join(directory, file));
    return [file.slice(0, -".sql".length), createHash("sha256").update(content).digest("hex")] as const;
  });
  return new Map(await Promise.all(entries));
}

/** One at a time: a second migration waits for the first, and then finds its work done. */
async function lock(client: Client): Promise<void> {
  await client.query("SET lock_timeout = '60s'");
  try {
    await client.query("SELECT pg_advisory_lock($1)", [PG_MIGRATE_LOCK_ID]);
  } catch (error) {
    if ((error as PostgresError).code !== "55P03") throw error;
    throw new MigrationError(
      "another migration has been running for 60 s: wait for it, or end it, and try again",
    );
  }
  // A lock that a statement waits for holds up every query behind it: better to fail, and be tried again.
  await client.query("SET lock_timeout = '10s'");
}

/** What was applied must still be there as it was: a database made from these files would differ from this one. */
async function requireUnchanged(client: Client, now: ReadonlyMap<string, string>): Promise<void> {
  await client.query(
    "CREATE TABLE IF NOT EXISTS migration_digests (name text PRIMARY KEY, sha256 text NOT NULL)",
  );
  const { rows } = await client.query<{ name: string; sha256: string }>("SELECT * FROM migration_digests");
  const last = [...now.keys()].at(-1) ?? "";
  for (const { name, sha256 } of rows) {
    const digest = now.get(name);
    // A later release's, which was rolled back: its schema is one that this release runs with.
    if (digest === undefined && name > last) continue;
    if (digest === undefined)
      throw new MigrationError(`migration ${name} was applied, and its file is gone: put it back`);
    if (digest !== sha256)
      throw new MigrationError(
        `migration ${name} was edited after it was applied: undo that, and add a new one`,
      );
  }
}

/**
 * Applies the migrations that the database does not have yet, all or none, in the order of their names.
 *
 * @param directory of the files, `<UTC timestamp>_<name>.sql`
 * @throws MigrationError, DatabaseError
 */
export async function migrate(url: string, directory: string, log: (line: string) => void): Promise<void> {
  const client = await connect(url);
  try {
    await lock(client);
    const now = await digests(directory);
    await requireUnchanged(client, now);
    await apply(client, directory, log);
    for (const [name, sha256] of now)
      await client.query("INSERT INTO migration_digests VALUES ($1, $2) ON CONFLICT DO NOTHING", [
        name,
        sha256,
      ]);
  } finally {
    await client.end();
  }
}

async function apply(client: Client, directory: string, log: (line: string) => void): Promise<void> {
  const quiet = () => {};
  try {
    const applied = await runner({
      dbClient: client,
      dir: directory,
      direction: "up",
      migrationsTable: "migrations",
      singleTransaction: true,
      logger: { debug: quiet, info: quiet, warn: quiet, error: quiet },
    });
    for (const { name } of applied) log(`applied ${name}`);
    if (applied.length === 0) log("nothing to apply");
  } catch (error) {
    const { message, position } = error as PostgresError;
    const hint = /^Not run migration/.test(message) ? ": give it a later timestamp" : "";
    throw new MigrationError(
      `${message}${position === undefined ? "" : ` at character ${position}`}${hint}`,
      {
        cause: error,
      },
    );
  }
}
