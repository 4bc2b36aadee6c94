import closeWithGrace from "close-with-grace";
import { buildApp } from "./app.ts";
import { type Config, ConfigError, readConfig } from "./config.ts";
import { DatabaseError } from "./database.ts";
import { Visits } from "./visits.ts";

const config = readConfigOrExit();
const app = await buildApp(config, await openVisitsOrExit(config));

// A second signal, or a close that takes longer than the timeout, exits with 1.
closeWithGrace(
  { delay: config.SHUTDOWN_TIMEOUT_SECONDS * 1000, logger: app.log },
  async ({ signal, err }) => {
    if (err) app.log.fatal({ err }, "closing after an error");
    else app.log.info({ signal }, "closing");
    await app.close();
    app.log.info("closed");
  },
);

await app.listen({ host: config.HOST, port: config.PORT });

async function openVisitsOrExit({ DATABASE_URL: url }: Config): Promise<Visits | undefined> {
  try {
    // The next request gets a new connection, and says so if that fails.
    return url === undefined
      ? undefined
      : await Visits.open(url, (err) => app.log.warn({ err }, "connection lost"));
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    console.error(error.message);
    process.exit(1);
  }
}

function readConfigOrExit(): Config {
  try {
    return readConfig(process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    console.error(error.message);
    process.exit(1);
  }
}
