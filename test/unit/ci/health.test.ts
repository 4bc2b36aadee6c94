import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { waitUntilHealthy } from "../../../ci/health.ts";
import { application } from "../../../infra/application.ts";
import { FakeWorld, release } from "../../support/pipeline.ts";

const build = release("4711", "a");
let world: FakeWorld;
let proxy: ReturnType<typeof createServer>;
let reports: string[];
/** What the API server answers to the next requests instead: a status, or nothing at all. */
let refusals: (number | undefined)[];

/** An API server behind an address of its own, which may be away while the application is not. */
beforeEach(async () => {
  world = new FakeWorld();
  await world.listen();
  world.run(build);
  reports = [];
  refusals = [];
  proxy = createServer(async (request, response) => {
    if (refusals.length > 0) {
      const status = refusals.shift();
      if (status === undefined) response.destroy();
      else response.writeHead(status).end("the API server is not ready");
      return;
    }
    const answer = await fetch(`http://${world.address}${request.url}`);
    response.writeHead(answer.status, { "content-type": "application/json" }).end(await answer.text());
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
});

afterEach(() => {
  proxy.closeAllConnections();
  proxy.close();
});

const wait = (seconds: number) => {
  const { port } = proxy.address() as AddressInfo;
  return waitUntilHealthy(
    "dev",
    application,
    {
      urls: { api: `http://${world.address}` },
      images: build.workloads,
      namespace: "dev",
      kubeconfig: world.kubeconfig.replace(world.address, `127.0.0.1:${port}`),
    },
    { seconds, report: (line) => reports.push(line) },
  );
};

test.each([
  ["answers 503", 503, "HTTP 503"],
  ["answers 429", 429, "HTTP 429"],
  ["drops the connection", undefined, "UND_ERR_SOCKET"],
])("a cluster that %s for a moment is waited for", async (_, refusal, reason) => {
  refusals = Array(5).fill(refusal);
  await wait(30);
  expect(reports).toEqual([`the cluster does not answer: ${reason}`]);
});

test("a cluster that does not answer until the time is over is told with what else is wrong", async () => {
  refusals = Array(1000).fill(503);
  world.answers.set("/readyz", 500);
  await expect(wait(0)).rejects.toThrow(
    /must run its images and answer within 0 s of its deployment\n {2}\| the cluster does not answer: HTTP 503\n {2}\| api: http:\S+ answers HTTP 500/,
  );
});
