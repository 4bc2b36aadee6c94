import type { FastifyInstance } from "fastify";
import fastifyMetrics from "fastify-metrics";

/** Serves /metrics: the process, the requests by method, route and status, and which build this is. */
export async function addMetrics(app: FastifyInstance, build: string): Promise<void> {
  await app.register(fastifyMetrics.default, {
    endpoint: "/metrics",
    // The registry belongs to the process; tests build more than one app in theirs.
    clearRegisterOnInit: true,
    routeMetrics: {
      enabled: { histogram: true, summary: false },
      // Count unknown URLs too, all under one label: a scanner must not create time series.
      registeredRoutesOnly: false,
      invalidRouteGroup: "unknown",
      routeBlacklist: ["/healthz", "/readyz", "/metrics"],
    },
  });
  const { Gauge } = app.metrics.client;
  new Gauge({ name: "build_info", help: "Always 1; the label is the build.", labelNames: ["build"] }).set(
    { build },
    1,
  );
}
