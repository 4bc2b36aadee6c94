import closeWithGrace from "close-with-grace";
import type { FastifyInstance } from "fastify";
import { buildApp } from "./app.ts";
import { type Config, ConfigError, readConfig } from "./config.ts";

const { config, app } = await buildOrExit();

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

async function buildOrExit(): Promise<{ config: Config; app: FastifyInstance }> {
  try {
    const config = readConfig(process.env);
    return { config, app: await buildApp(config) };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    console.error(error.message);
    process.exit(1);
  }
}
