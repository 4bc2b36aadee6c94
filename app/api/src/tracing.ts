import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

export interface TracingOptions {
  /** Where an OpenTelemetry collector takes OTLP by HTTP; without it nothing is traced, nor loaded. */
  readonly endpoint: string | undefined;
  /** Name of the service in its spans. */
  readonly service: string;
  readonly build: string;
  readonly pod: string;
}

/** A collector that is away must not keep a process from ending. */
const exportTimeoutMilliseconds = 2000;

/** Asked all the time, and by nobody who has a trace. */
const untraced = ["/healthz", "/readyz", "/metrics"];

/**
 * Records a span of each request and exports it, as part of the trace that the request names. The answer's Server-Timing
 * names the span, so that a page can go on with the trace that its own request began.
 *
 * A span has the request's method, route, path and status: nothing of its query, headers or body, where secrets may be.
 */
export async function addTracing(
  app: FastifyInstance,
  { endpoint, service, build, pod }: TracingOptions,
): Promise<void> {
  if (endpoint === undefined) return;
  const [api, hooks, core, exporting, resources, sdk] = await Promise.all([
    import("@opentelemetry/api"),
    import("@opentelemetry/context-async-hooks"),
    import("@opentelemetry/core"),
    import("@opentelemetry/exporter-trace-otlp-http"),
    import("@opentelemetry/resources"),
    import("@opentelemetry/sdk-trace"),
  ]);
  const exporter = new exporting.OTLPTraceExporter({
    url: `${endpoint.replace(/\/+$/, "")}/v1/traces`,
    timeoutMillis: exportTimeoutMilliseconds,
  });
  const provider = new sdk.TracerProvider({
    resource: resources.resourceFromAttributes({
      "service.name": service,
      "service.version": build,
      "service.instance.id": pod,
    }),
    spanProcessors: [
      new sdk.BatchSpanProcessor({ exporter, exportTimeoutMillis: exportTimeoutMilliseconds }),
    ],
  });
  api.trace.setGlobalTracerProvider(provider);
  api.context.setGlobalContextManager(new hooks.AsyncLocalStorageContextManager().enable());
  const propagator = new core.W3CTraceContextPropagator();
  const tracer = provider.getTracer("slipway");
  const spans = new WeakMap<FastifyRequest, import("@opentelemetry/api").Span>();

  app.addHook("onRequest", (request: FastifyRequest, reply: FastifyReply, done: () => void) => {
    const route = request.routeOptions.url ?? "";
    if (untraced.includes(route)) return done();
    const parent = propagator.extract(api.ROOT_CONTEXT, request.headers, api.defaultTextMapGetter);
    const attributes = {
      "http.request.method": request.method,
      "http.route": route,
      "url.path": request.url.split("?")[0] ?? "",
    };
    const options = { kind: api.SpanKind.SERVER, attributes };
    const span = tracer.startSpan(`${request.method} ${route}`, options, parent);
    spans.set(request, span);
    const { traceId, spanId, traceFlags } = span.spanContext();
    const flags = traceFlags.toString(16).padStart(2, "0");
    reply.header("server-timing", `traceparent;desc="00-${traceId}-${spanId}-${flags}"`);
    api.context.with(api.trace.setSpan(parent, span), done);
  });
  app.addHook("onResponse", async (request, { statusCode }) => {
    const span = spans.get(request);
    span?.setAttribute("http.response.status_code", statusCode);
    if (statusCode >= 500) span?.setStatus({ code: api.SpanStatusCode.ERROR });
    span?.end();
  });
  app.addHook("onClose", () =>
    // The last spans are lost with a collector that is away, and nothing else.
    provider.shutdown().catch((err: unknown) => app.log.warn({ err }, "the last spans were not exported")),
  );
}
