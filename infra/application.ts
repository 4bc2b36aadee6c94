import { defineApplication, urlOf } from "./workloads/definition.ts";

/** The application of this repository. To bring your own, replace app/ and edit this file. */
export const application = defineApplication({
  api: {
    image: { context: "app/api" },
    ports: { http: 8080 },
    env: {
      GREETING: "Hello from Slipway",
      CORS_ORIGINS: urlOf("frontend"),
    },
    readiness: { path: "/readyz", port: "http" },
    liveness: { path: "/healthz", port: "http" },
    metrics: { path: "/metrics", port: "http", requests: "http_request_duration_seconds" },
    resources: {
      requests: { cpu: "50m", memory: "64Mi" },
      limits: { memory: "192Mi" },
    },
    database: { migrate: ["node", "dist/migrate.js"] },
  },
  frontend: {
    image: { context: "app/frontend" },
    ports: { http: 8080 },
    config: {
      mountPath: "/app/wwwroot/config",
      files: { "config.json": { apiUrl: urlOf("api") } },
    },
    readiness: { path: "/readyz", port: "http" },
    liveness: { path: "/healthz", port: "http" },
    metrics: { path: "/metrics", port: "http", requests: "http_request_duration_seconds" },
    resources: {
      requests: { cpu: "50m", memory: "64Mi" },
      limits: { memory: "192Mi" },
    },
  },
});
