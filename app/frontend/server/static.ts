import { readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import fastifyStatic from "@fastify/static";
import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { apiOrigin, parseRuntimeConfig, runtimeConfigPath } from "../shared/runtime-config.ts";

/** Serves the page, its assets and its configuration from the static root. */
export async function addPage(app: FastifyInstance, root: string): Promise<void> {
  await app.register(fastifyStatic, {
    root,
    // The page has its own route below, for its policy.
    index: false,
    // Also keeps the ..data directory behind a ConfigMap's symbolic links private.
    dotfiles: "ignore",
    cacheControl: false,
    setHeaders: (reply, path) => {
      reply.header("cache-control", cacheControl(relative(root, path)));
    },
  });

  app.get("/", sendPage);
  app.get("/index.html", sendPage);

  async function sendPage(request: FastifyRequest, reply: FastifyReply) {
    reply.header("content-security-policy", await contentSecurityPolicy(request.log));
    return reply.sendFile("index.html");
  }

  /** Reads the configuration each time: Kubernetes replaces the mounted file while the pod runs. */
  async function contentSecurityPolicy(log: FastifyBaseLogger): Promise<string> {
    let origin: string | undefined;
    try {
      origin = apiOrigin(parseRuntimeConfig(await readFile(join(root, runtimeConfigPath), "utf8")));
    } catch (err) {
      // The page reads the same file, and tells its reader what is wrong with it.
      log.error({ err }, `cannot use ${runtimeConfigPath}`);
    }
    return [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "img-src 'self'",
      `connect-src 'self'${origin ? ` ${origin}` : ""}`,
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ].join("; ");
  }
}

/** By path below the static root. Vite puts a hash of the content into the name of each asset. */
function cacheControl(path: string): string {
  if (path.startsWith("assets/")) return "public, max-age=31536000, immutable";
  if (path === "index.html" || path.startsWith("config/")) return "no-store";
  return "no-cache";
}
