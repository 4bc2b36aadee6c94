import { fileURLToPath } from "node:url";
import { DatabaseError } from "./database.ts";
import { MigrationError, migrate } from "./migrations.ts";

// Run by the same image before the pods of a release start.
const url = process.env.DATABASE_URL ?? "";
if (!URL.canParse(url)) {
  console.error(
    "invalid environment: DATABASE_URL: must be a URL such as postgres://user:password@host/name",
  );
  process.exit(1);
}
try {
  await migrate(url, fileURLToPath(new URL("../migrations", import.meta.url)), console.log);
} catch (error) {
  console.error(
    error instanceof MigrationError || error instanceof DatabaseError
      ? error.message
      : (error as Error).stack,
  );
  process.exit(1);
}
