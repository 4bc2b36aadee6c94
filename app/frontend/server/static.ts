import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import fastifyStatic from "@fastify/static";
import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { apiOrigin, parseRuntimeConfig, runtimeConfigPath } from "../shared/runtime-config.ts";
import { ConfigError } from "./config.ts";

/**
 * Serves the page, its assets and its configuration from the static root. The page is read once: it is the image's.
 *
 * @throws ConfigError where the root holds no page
 */
export async function addPage(app: FastifyInstance, root: string): Promise<void> {
  const page = await readFile(join(root, "index.html")).catch((error: NodeJS.ErrnoException) => {
    throw new ConfigError([{ key: "WEB_ROOT", value: root, rule: error.message }]);
  });
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
    return reply
      .header("cache-control", cacheControl("index.html"))
      .header("content-security-policy", contentSecurityPolicy(request.log))
      .type("text/html; charset=utf-8")
      .send(page);
  }

  /**
   * Reads the configuration each time: Kubernetes replaces the mounted file while the pod runs. Synchronously, for it is
   * a line in memory: by the thread pool it would wait four times for a processor, which is late where all are busy.
   */
  function contentSecurityPolicy(log: FastifyBaseLogger): string {
    let origin: string | undefined;
    try {
      origin = apiOrigin(parseRuntimeConfig(readFileSync(join(root, runtimeConfigPath), "utf8")));
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
