import type { FastifyInstance } from "fastify";
import { afterEach, expect, test } from "vitest";
import { buildApp } from "../src/app.ts";
import { readConfig } from "../src/config.ts";

let app: FastifyInstance;

async function start(env: Record<string, string> = {}) {
  app = await buildApp(readConfig({ LOG_LEVEL: "silent", ...env }));
  return app;
}

afterEach(() => app.close());

test("the greeting carries its text, the build and the pod that answered, and is not cached", async () => {
  await start({ GREETING: "Ahoy", BUILD_NUMBER: "42", POD_NAME: "api-7d4b" });
  const response = await app.inject("/api/greeting");
  expect(response.statusCode).toBe(200);
  expect(response.json()).toEqual({ text: "Ahoy", build: "42", pod: "api-7d4b" });
  expect(response.headers["cache-control"]).toBe("no-store");
});

test("the probes answer 200 while the service runs", async () => {
  await start();
  expect((await app.inject("/healthz")).json()).toEqual({ status: "alive" });
  expect((await app.inject("/readyz")).json()).toEqual({ status: "ready" });
});

test("an unknown URL is a JSON 404", async () => {
  await start();
  const response = await app.inject("/nowhere");
  expect(response.statusCode).toBe(404);
  expect(response.json()).toMatchObject({ statusCode: 404, error: "Not Found" });
});

test("a bad request keeps its status and its reason", async () => {
  await start();
  const response = await app.inject({
    method: "POST",
    url: "/nowhere",
    headers: { "content-type": "application/json" },
    payload: "{",
  });
  expect(response.statusCode).toBe(400);
  expect(response.json()).toMatchObject({ statusCode: 400, error: "Bad Request" });
});

test("a fault of the service is a JSON 500 that does not leak its cause", async () => {
  await start();
  app.get("/fault", async () => {
    throw new Error("password=hunter2");
  });
  const response = await app.inject("/fault");
  expect(response.statusCode).toBe(500);
  expect(response.json()).toMatchObject({ statusCode: 500, error: "Internal Server Error" });
  expect(response.body).not.toContain("hunter2");
});

test("a listed origin may read the answer", async () => {
  await start({ CORS_ORIGINS: "https://a.example,https://b.example" });
  const response = await app.inject({ url: "/api/greeting", headers: { origin: "https://b.example" } });
  expect(response.headers["access-control-allow-origin"]).toBe("https://b.example");
  expect(response.headers.vary).toContain("Origin");
});

test.each(["https://evil.example", "https://a.example.evil.example", "http://a.example", "null"])(
  "the unlisted origin %s may not read the answer",
  async (origin) => {
    await start({ CORS_ORIGINS: "https://a.example" });
    const response = await app.inject({ url: "/api/greeting", headers: { origin } });
    expect(response.headers).not.toHaveProperty("access-control-allow-origin");
  },
);

test("no origin is allowed by default", async () => {
  await start();
  const response = await app.inject({ url: "/api/greeting", headers: { origin: "https://a.example" } });
  expect(response.headers).not.toHaveProperty("access-control-allow-origin");
});

test("a preflight allows a listed origin to GET and POST and nothing else", async () => {
  await start({ CORS_ORIGINS: "https://a.example" });
  const response = await app.inject({
    method: "OPTIONS",
    url: "/api/greeting",
    headers: { origin: "https://a.example", "access-control-request-method": "GET" },
  });
  expect(response.statusCode).toBe(204);
  expect(response.headers["access-control-allow-methods"]).toBe("GET, POST");
});

test("requests are measured by method, route and status", async () => {
  await start();
  await app.inject("/api/greeting?who=1");
  await app.inject("/api/greeting?who=2");
  expect(await metrics()).toContain(
    'http_request_duration_seconds_count{method="GET",route="/api/greeting",status_code="200"} 2',
  );
});

test("unknown URLs share one label, whatever they are", async () => {
  await start();
  await app.inject("/wp-login.php");
  await app.inject("/.env");
  const text = await metrics();
  expect(text).toContain(
    'http_request_duration_seconds_count{method="GET",route="unknown",status_code="404"} 2',
  );
  expect(text).not.toMatch(/wp-login|\.env/);
});

test("probes and scrapes do not drown the measurements", async () => {
  await start();
  for (const url of ["/healthz", "/readyz", "/metrics"]) await app.inject(url);
  expect(await metrics()).not.toContain("http_request_duration_seconds_count");
});

test("metrics name the build and describe the process", async () => {
  await start({ BUILD_NUMBER: "42" });
  const response = await app.inject("/metrics");
  expect(response.headers["content-type"]).toContain("text/plain");
  expect(response.body).toContain('build_info{build="42"} 1');
  expect(response.body).toContain("process_resident_memory_bytes");
});

async function metrics() {
  return (await app.inject("/metrics")).body;
}
