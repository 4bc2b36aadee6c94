import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { expect, onTestFinished, test } from "vitest";
import { buildApp } from "../../server/app.ts";
import { readConfig } from "../../server/config.ts";
import { webRoot } from "./webRoot.ts";

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
}

/** A collector that takes OTLP by HTTP, and what it was sent. */
async function collector() {
  const requests: unknown[] = [];
  const server = createServer(async (request, response) => {
    requests.push(await json(request));
    expect(request.url).toBe("/v1/traces");
    response.setHeader("content-type", "application/json").end("{}");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    text: () => JSON.stringify(requests),
    spans: () =>
      (requests as { resourceSpans: { scopeSpans: { spans: Span[] }[] }[] }[])
        .flatMap(({ resourceSpans }) => resourceSpans)
        .flatMap(({ scopeSpans }) => scopeSpans)
        .flatMap(({ spans }) => spans),
  };
}

const serve = (env: Record<string, string>) =>
  buildApp(readConfig({ LOG_LEVEL: "silent", WEB_ROOT: webRoot, ...env }));

test("a request is a span of the trace that it names, told to its page, without its query and headers", async () => {
  const { endpoint, spans, text } = await collector();
  const app = await serve({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, BUILD_NUMBER: "42" });
  const trace = "0af7651916cd43dd8448eb211c80319c";
  const { headers } = await app.inject({
    url: "/build.json?token=hunter2",
    headers: { traceparent: `00-${trace}-b7ad6b7169203331-01`, authorization: "Bearer hunter2" },
  });
  await app.inject("/healthz");
  await app.close();
  expect(spans()).toMatchObject([
    { name: "GET /build.json", traceId: trace, parentSpanId: "b7ad6b7169203331" },
  ]);
  expect(headers["server-timing"]).toBe(`traceparent;desc="00-${trace}-${spans()[0]?.spanId}-01"`);
  expect(text()).toContain('"slipway-frontend"');
  expect(text()).toContain('"42"');
  expect(text()).not.toContain("hunter2");
});

test("nothing is traced unless a collector is named", async () => {
  const app = await serve({});
  expect((await app.inject("/build.json")).headers).not.toHaveProperty("server-timing");
  await app.close();
});

test("a collector that is away does not keep the service from answering or ending", async () => {
  const app = await serve({ OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9" });
  expect((await app.inject("/build.json")).statusCode).toBe(200);
  const begin = performance.now();
  await app.close();
  expect(performance.now() - begin).toBeLessThan(8000);
});

test("an endpoint that is no URL is refused", () => {
  expect(() => readConfig({ OTEL_EXPORTER_OTLP_ENDPOINT: "collector:4318" })).toThrow(
    'OTEL_EXPORTER_OTLP_ENDPOINT="collector:4318": must be a URL such as http://collector:4318',
  );
});
