import { afterAll, beforeAll, expect, test } from "vitest";
import { getText } from "../support/cluster.ts";
import { Workspace } from "../support/workspace.ts";

const stack = "test-third";
let workspace: Workspace;

beforeAll(() => {
  workspace = new Workspace(stack);
});

afterAll(async () => {
  await workspace.run("destroy", "--deliver", "direct");
  workspace.remove();
});

test("an application of one's own takes its sources and one file of definitions", async () => {
  workspace.write(
    "app/clock/server.js",
    `const http = require("node:http");
const server = http.createServer((request, response) => response.end(request.url === "/" ? "tick " + process.env.BUILD_NUMBER : "ok"));
server.listen(8080);
process.on("SIGTERM", () => server.close(() => process.exit(0)));
`,
  );
  workspace.write(
    "app/clock/Dockerfile",
    'ARG BASE_IMAGE=node:24-bookworm-slim\nFROM $BASE_IMAGE\nCOPY server.js /app/\nUSER 1000:1000\nCMD ["node", "/app/server.js"]\n',
  );
  workspace.write(
    "infra/application.ts",
    `import { defineApplication } from "./workloads/definition.ts";

export const application = defineApplication({
  clock: {
    image: { context: "app/clock" },
    ports: { http: 8080 },
    readiness: { path: "/ready", port: "http" },
    liveness: { path: "/alive", port: "http" },
    resources: { requests: { cpu: "10m", memory: "32Mi" }, limits: { memory: "128Mi" } },
  },
});
`,
  );
  workspace.configure({
    platform: { kind: "local" },
    exposure: { clock: { type: "NodePort", nodePort: 30380 } },
  });
  workspace.commit("Bring a clock");
  const output = await workspace.deliver();
  expect(output).toContain("http://127.0.0.1:30380");
  expect(await getText("http://127.0.0.1:30380")).toBe(
    `tick ${workspace.git("rev-parse", "HEAD").slice(0, 10)}`,
  );
});
