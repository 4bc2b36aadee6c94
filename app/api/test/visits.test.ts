import { expect, onTestFinished, test } from "vitest";
import { buildApp } from "../src/app.ts";
import { readConfig } from "../src/config.ts";
import { migrate } from "../src/migrations.ts";
import { Visits } from "../src/visits.ts";
import { startPostgres } from "./postgres.ts";

const migrations = new URL("../migrations", import.meta.url).pathname;

async function start() {
  const { db, url } = await startPostgres();
  await migrate(url, migrations, () => {});
  const app = await buildApp(
    readConfig({ LOG_LEVEL: "silent", POD_NAME: "api-7d4b", DATABASE_URL: url }),
    await Visits.open(url, () => {}),
  );
  onTestFinished(() => app.close());
  return { app, db };
}

test("a visit is recorded with its pod and its time, and counted", async () => {
  const { app } = await start();
  expect((await app.inject("/api/visits")).json()).toEqual({ total: 0, latest: [] });
  await app.inject({ method: "POST", url: "/api/visits" });
  const { total, latest } = (await app.inject({ method: "POST", url: "/api/visits" })).json();
  expect(total).toBe(2);
  expect(latest).toEqual(Array(2).fill({ at: expect.any(String), pod: "api-7d4b" }));
  expect(Date.now() - Date.parse(latest[0].at)).toBeLessThan(60_000);
});

test("only the latest five are listed, latest first, those of an older release without a pod", async () => {
  const { app, db } = await start();
  await db.exec(
    "INSERT INTO visits (pod) VALUES ('a'), ('b'), ('c'), ('d'), ('e'); INSERT INTO visits DEFAULT VALUES",
  );
  const { total, latest } = (await app.inject("/api/visits")).json();
  expect(total).toBe(6);
  expect(latest.map(({ pod }: { pod: string }) => pod)).toEqual([null, "e", "d", "c", "b"]);
});

test("without a database nobody is counted", async () => {
  const app = await buildApp(readConfig({ LOG_LEVEL: "silent" }));
  onTestFinished(() => app.close());
  expect((await app.inject("/api/visits")).statusCode).toBe(404);
});
