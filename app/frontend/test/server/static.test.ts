import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FastifyInstance } from "fastify";
import { afterEach, beforeEach, expect, test } from "vitest";
import { buildApp } from "../../server/app.ts";
import { readConfig } from "../../server/config.ts";

let directory: string;
let app: FastifyInstance;

/** A static root like the image's, with its configuration mounted the way Kubernetes mounts a ConfigMap. */
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "frontend-"));
  const root = join(directory, "wwwroot");
  await mkdir(join(root, "assets"), { recursive: true });
  await mkdir(join(root, "config"));
  await writeFile(join(root, "index.html"), "<!doctype html><h1>the page</h1>");
  await writeFile(join(root, "assets", "index-BnfIbFAe.js"), "export {}");
  await writeFile(join(root, "favicon.svg"), "<svg/>");
  await writeFile(join(directory, "secret.txt"), "secret");
  await symlink("..data/config.json", join(root, "config", "config.json"));
  await mountConfig("..v1", JSON.stringify({ apiUrl: "http://127.0.0.1:30081" }));
  app = await buildApp(
    readConfig({ LOG_LEVEL: "silent", WEB_ROOT: root, BUILD_NUMBER: "7", POD_NAME: "frontend-5c9f" }),
  );
});

afterEach(async () => {
  await app.close();
  await rm(directory, { recursive: true });
});

/** Writes a new version beside the old one and swaps the ..data link, as the kubelet does. */
async function mountConfig(version: string, content: string) {
  const mount = join(directory, "wwwroot", "config");
  await mkdir(join(mount, version));
  await writeFile(join(mount, version, "config.json"), content);
  await symlink(version, join(mount, "..data_tmp"));
  await rename(join(mount, "..data_tmp"), join(mount, "..data"));
}

async function policy() {
  const { headers } = await app.inject("/");
  return String(headers["content-security-policy"]).split("; ");
}

test.each(["/", "/index.html"])("%s is the page, and is never stored", async (url) => {
  const response = await app.inject(url);
  expect(response.statusCode).toBe(200);
  expect(response.headers["content-type"]).toBe("text/html; charset=utf-8");
  expect(response.headers["cache-control"]).toBe("no-store");
  expect(response.headers["content-security-policy"]).toContain("default-src 'none'");
  expect(response.body).toContain("the page");
});

test.each(["//", "/./", "/%69ndex.html", "/assets/../index.html", "/favicon.svg", "/nowhere"])(
  "%s may run nothing, unless it is the page with the page's own policy",
  async (url) => {
    const { headers } = await app.inject(url);
    expect(headers["content-security-policy"]).toMatch(/^default-src 'none'/);
  },
);

test("assets, whose names carry a hash, are cached for good", async () => {
  const response = await app.inject("/assets/index-BnfIbFAe.js");
  expect(response.statusCode).toBe(200);
  expect(response.headers["content-type"]).toContain("javascript");
  expect(response.headers["cache-control"]).toBe("public, max-age=31536000, immutable");
});

test("a missing asset is a JSON 404 that is not cached for good", async () => {
  const response = await app.inject("/assets/index-gone.js");
  expect(response.statusCode).toBe(404);
  expect(response.json()).toMatchObject({ statusCode: 404, error: "Not Found" });
  expect(response.headers).not.toHaveProperty("cache-control");
});

test("other files are revalidated", async () => {
  expect((await app.inject("/favicon.svg")).headers["cache-control"]).toBe("no-cache");
});

test("the configuration is served through the links of a ConfigMap, and is never stored", async () => {
  const response = await app.inject("/config/config.json");
  expect(response.json()).toEqual({ apiUrl: "http://127.0.0.1:30081" });
  expect(response.headers["cache-control"]).toBe("no-store");
});

test("the page may connect to its own origin and to the configured api only", async () => {
  expect(await policy()).toContain("connect-src 'self' http://127.0.0.1:30081");
});

test("a changed configuration is served, and allowed, without a restart", async () => {
  await policy();
  await mountConfig("..v2", JSON.stringify({ apiUrl: "https://api.example/v1" }));
  expect((await app.inject("/config/config.json")).json()).toEqual({ apiUrl: "https://api.example/v1" });
  expect(await policy()).toContain("connect-src 'self' https://api.example");
});

test.each([
  ["broken", "{"],
  [
    "trying to add to the policy",
    JSON.stringify({ apiUrl: "https://a.example; script-src 'unsafe-inline'" }),
  ],
])("a configuration that is %s allows no other origin; the page still comes", async (_case, content) => {
  await mountConfig("..v2", content);
  expect((await app.inject("/")).statusCode).toBe(200);
  expect(await policy()).toContain("connect-src 'self'");
  expect((await policy()).filter((directive) => directive.startsWith("script-src"))).toEqual([
    "script-src 'self'",
  ]);
});

test.each(["/", "/favicon.svg", "/config/config.json"])("%s carries security headers", async (url) => {
  const { headers } = await app.inject(url);
  expect(headers).toMatchObject({
    "x-content-type-options": "nosniff",
    "x-frame-options": "SAMEORIGIN",
    "referrer-policy": "no-referrer",
  });
});

test.each(["/assets", "/assets/", "/config", "/config/"])("the directory %s is not listed", async (url) => {
  const response = await app.inject(url);
  expect(response.statusCode).toBeOneOf([403, 404]);
  expect(response.body).not.toMatch(/index-BnfIbFAe|config\.json/);
});

test.each([
  "/../secret.txt",
  "/%2e%2e/secret.txt",
  "/..%2fsecret.txt",
  "/assets/../../secret.txt",
  "/assets/..%5c..%5csecret.txt",
  "//../secret.txt",
])("%s does not leave the static root", async (url) => {
  const response = await app.inject(url);
  expect(response.statusCode).toBeGreaterThanOrEqual(400);
  expect(response.body).not.toBe("secret");
});

test("the directory behind a ConfigMap’s links is not reachable by its own name", async () => {
  expect((await app.inject("/config/..data/config.json")).statusCode).toBe(404);
});

test("build.json tells the build and the pod, and is never stored", async () => {
  const response = await app.inject("/build.json");
  expect(response.json()).toEqual({ build: "7", pod: "frontend-5c9f" });
  expect(response.headers["cache-control"]).toBe("no-store");
});

test("the probes answer 200 while the server runs", async () => {
  expect((await app.inject("/healthz")).statusCode).toBe(200);
  expect((await app.inject("/readyz")).statusCode).toBe(200);
});

test("files and unknown URLs are measured by route, never by name", async () => {
  for (const url of ["/", "/favicon.svg", "/assets/index-BnfIbFAe.js", "/wp-login.php"])
    await app.inject(url);
  const { body } = await app.inject("/metrics");
  expect(body).toContain('http_request_duration_seconds_count{method="GET",route="/",status_code="200"} 1');
  expect(body).toContain('http_request_duration_seconds_count{method="GET",route="/*",status_code="200"} 2');
  expect(body).toContain(
    'http_request_duration_seconds_count{method="GET",route="unknown",status_code="404"} 1',
  );
  expect(body).toContain('build_info{build="7"} 1');
  expect(body).not.toMatch(/favicon|wp-login|BnfIbFAe/);
});
