import { cp, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { DatabaseError } from "../src/database.ts";
import { MigrationError, migrate } from "../src/migrations.ts";
import { startPostgres } from "./postgres.ts";

const own = new URL("../migrations", import.meta.url).pathname;

/** A copy of the service's migrations, to be changed by the test. */
async function copyOfMigrations(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "migrations-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  await cp(own, directory, { recursive: true });
  return directory;
}

async function failureOf(attempt: Promise<void>): Promise<string> {
  const error = await attempt.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(MigrationError);
  return (error as Error).message;
}

test("every migration is applied once, in order", async () => {
  const { db, url } = await startPostgres();
  const lines: string[] = [];
  await migrate(url, own, (line) => lines.push(line));
  await migrate(url, own, (line) => lines.push(line));
  const names = (await readdir(own)).sort().map((file) => file.replace(".sql", ""));
  expect(lines).toEqual([...names.map((name) => `applied ${name}`), "nothing to apply"]);
  expect((await db.query("SELECT name FROM migrations ORDER BY id")).rows).toEqual(
    names.map((name) => ({ name })),
  );
});

test("a migration that fails is named, and none of the release's migrations is applied; corrected, all are", async () => {
  const { db, url } = await startPostgres();
  const directory = await copyOfMigrations();
  await migrate(url, directory, () => {});
  await writeFile(join(directory, "20991101090000_first.sql"), "CREATE TABLE first (id int);");
  await writeFile(join(directory, "20991101090001_second.sql"), "CREATE TABLE first (id int);");
  expect(await failureOf(migrate(url, directory, () => {}))).toContain('relation "first" already exists');
  expect((await db.query("SELECT to_regclass('first') AS first")).rows).toEqual([{ first: null }]);
  await writeFile(join(directory, "20991101090001_second.sql"), "CREATE TABLE second (id int);");
  const lines: string[] = [];
  await migrate(url, directory, (line) => lines.push(line));
  expect(lines).toEqual(["applied 20991101090000_first", "applied 20991101090001_second"]);
});

test("a migration that comes before one that was applied is refused", async () => {
  const { url } = await startPostgres();
  const directory = await copyOfMigrations();
  await migrate(url, directory, () => {});
  await writeFile(join(directory, "20200101000000_late.sql"), "CREATE TABLE late (id int);");
  expect(await failureOf(migrate(url, directory, () => {}))).toMatch(
    /^Not run migration 20200101000000_late is preceding already run migration .*: give it a later timestamp$/,
  );
});

test("a release that was rolled back runs with the migrations of the one after it", async () => {
  const { db, url } = await startPostgres();
  const directory = await copyOfMigrations();
  await writeFile(join(directory, "20991101090000_new.sql"), "CREATE TABLE new (id int);");
  await migrate(url, directory, () => {});
  const lines: string[] = [];
  await migrate(url, own, (line) => lines.push(line));
  expect(lines).toEqual(["nothing to apply"]);
  expect((await db.query("SELECT to_regclass('new') AS new")).rows).toEqual([{ new: "new" }]);
});

test("a migration that was edited after it was applied is refused, and so is one that is gone", async () => {
  const { db, url } = await startPostgres();
  const directory = await copyOfMigrations();
  await migrate(url, directory, () => {});
  const [first = ""] = (await readdir(directory)).sort();
  const name = first.replace(".sql", "");
  await writeFile(join(directory, "20991101090000_new.sql"), "CREATE TABLE new (id int);");
  await writeFile(join(directory, first), "CREATE TABLE visits ();");
  expect(await failureOf(migrate(url, directory, () => {}))).toBe(
    `migration ${name} was edited after it was applied: undo that, and add a new one`,
  );
  await rm(join(directory, first));
  expect(await failureOf(migrate(url, directory, () => {}))).toBe(
    `migration ${name} was applied, and its file is gone: put it back`,
  );
  expect((await db.query("SELECT to_regclass('new') AS new")).rows).toEqual([{ new: null }]);
});

test("a database that does not answer is named without its password", async () => {
  const error = await migrate("postgres://api:hunter2@127.0.0.1:9/api", own, () => {}).catch(
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(DatabaseError);
  expect(error.message).toBe("database 127.0.0.1:9/api as api: connect ECONNREFUSED 127.0.0.1:9");
});
