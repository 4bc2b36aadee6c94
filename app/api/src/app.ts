import cors from "@fastify/cors";
import helmet from "@fastify/helmet";
import Fastify, { type FastifyError, type FastifyInstance } from "fastify";
import type { Config } from "./config.ts";
import { addLifecycle } from "./lifecycle.ts";
import { addMetrics } from "./metrics.ts";
import { addTracing } from "./tracing.ts";
import type { Visits } from "./visits.ts";

/**
 * The service without its socket: tests call it through `inject`, server.ts makes it listen.
 *
 * @param visits absent without a database; nobody is counted then
 */
export async function buildApp(config: Config, visits?: Visits): Promise<FastifyInstance> {
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

  // Whether this domain is HTTPS only is for whoever terminates TLS to say.
  await app.register(helmet, { strictTransportSecurity: false });
  await app.register(cors, { origin: config.CORS_ORIGINS, methods: ["GET", "POST"], maxAge: 600 });
  await addMetrics(app, config.BUILD_NUMBER);
  await addTracing(app, {
    endpoint: config.OTEL_EXPORTER_OTLP_ENDPOINT,
    service: config.OTEL_SERVICE_NAME,
    build: config.BUILD_NUMBER,
    pod: config.POD_NAME,
  });
  // Half of the time for clients to be told, half for requests in flight to end.
  addLifecycle(app, config.SHUTDOWN_TIMEOUT_SECONDS / 2);
  hideInternalErrors(app);

  app.get("/api/greeting", { schema: { response: { 200: greetingSchema } } }, async (_request, reply) => {
    // Every answer names its pod; a cached one would lie.
    reply.header("cache-control", "no-store");
    return { text: config.GREETING, build: config.BUILD_NUMBER, pod: config.POD_NAME };
  });

  if (visits !== undefined) addVisits(app, visits, config.POD_NAME);
  return app;
}

function addVisits(app: FastifyInstance, visits: Visits, pod: string): void {
  const schema = { response: { 200: visitsSchema } };
  app.addHook("onClose", () => visits.close());
  app.get("/api/visits", { schema }, async (_request, reply) => {
    reply.header("cache-control", "no-store");
    return visits.summary();
  });
  app.post("/api/visits", { schema }, async (_request, reply) => {
    reply.header("cache-control", "no-store");
    await visits.record(pod);
    return visits.summary();
  });
}

const greetingSchema = {
  type: "object",
  required: ["text", "build", "pod"],
  properties: { text: { type: "string" }, build: { type: "string" }, pod: { type: "string" } },
};

const visitsSchema = {
  type: "object",
  required: ["total", "latest"],
  properties: {
    total: { type: "integer" },
    latest: {
      type: "array",
      items: {
        type: "object",
        required: ["at", "pod"],
        properties: { at: { type: "string" }, pod: { type: ["string", "null"] } },
      },
    },
  },
};

/** Fastify's JSON error body, except that a fault of ours goes to the log and not to the client. */
function hideInternalErrors(app: FastifyInstance): void {
  app.setErrorHandler((error: FastifyError, request, reply) => {
    if (error.statusCode !== undefined && error.statusCode < 500) return reply.send(error);
    request.log.error({ err: error }, "request failed");
    return reply
      .code(500)
      .send({ statusCode: 500, error: "Internal Server Error", message: "see the log for this request" });
  });
}
