import helmet from "@fastify/helmet";
import Fastify, { type FastifyInstance } from "fastify";
import type { Config } from "./config.ts";
import { addLifecycle } from "./lifecycle.ts";
import { addMetrics } from "./metrics.ts";
import { addPage } from "./static.ts";
import { addTracing } from "./tracing.ts";

/** The server without its socket: tests call it through `inject`, server.ts makes it listen. */
export async function buildApp(config: Config): Promise<FastifyInstance> {
  const app = Fastify({
    logger: {
      level: config.LOG_LEVEL,
      // Written at once: pino's own stream may still hold, or reorder, the last lines when the process ends.
      stream: process.stdout,
      base: { build: config.BUILD_NUMBER, pod: config.POD_NAME },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (level) => ({ level }) },
    },
    requestTimeout: 30_000,
    // A request that still arrives on an open connection during shutdown is answered, not refused.
    return503OnClosing: false,
  });

  await app.register(helmet, {
    // Nothing may run; the page replaces this by a policy that depends on its configuration: see static.ts.
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
    },
    // Whether this domain is HTTPS only is for whoever terminates TLS to say.
    strictTransportSecurity: false,
    // Browsers ignore these two, and warn, where the page is served over plain HTTP.
    crossOriginOpenerPolicy: false,
    originAgentCluster: false,
  });
  await addMetrics(app, config.BUILD_NUMBER);
  await addTracing(app, {
    endpoint: config.OTEL_EXPORTER_OTLP_ENDPOINT,
    service: config.OTEL_SERVICE_NAME,
    build: config.BUILD_NUMBER,
    pod: config.POD_NAME,
  });
  // Half of the time for clients to be told, half for requests in flight to end.
  addLifecycle(app, config.SHUTDOWN_TIMEOUT_SECONDS / 2);
  app.get("/build.json", async (_request, reply) => {
    reply.header("cache-control", "no-store");
    return { build: config.BUILD_NUMBER, pod: config.POD_NAME };
  });
  await addPage(app, config.WEB_ROOT);
  return app;
}
