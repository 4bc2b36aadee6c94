import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { networkInterfaces } from "node:os";
import { json } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { clients } from "../support/cluster.ts";
import { Workspace } from "../support/workspace.ts";

const stack = "test-traces";
const [page, api] = ["http://127.0.0.1:30370", "http://127.0.0.1:30371"];
let workspace: Workspace;
let collector: Server;
const received: Export[] = [];

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
}

interface Export {
  readonly resourceSpans: readonly {
    readonly resource: {
      readonly attributes: readonly {
        readonly key: string;
        readonly value: { readonly stringValue: string };
      }[];
    };
    readonly scopeSpans: readonly { readonly spans: readonly Span[] }[];
  }[];
}

/** Address of this machine that pods reach. */
function ownAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return addresses.find(({ address }) => address.startsWith("10.244."))?.address ?? "";
}

beforeAll(async () => {
  collector = createServer(async (request, response) => {
    received.push((await json(request)) as Export);
    response.setHeader("content-type", "application/json").end("{}");
  });
  await new Promise<void>((resolve) => collector.listen(0, ownAddress(), resolve));
  const { port } = collector.address() as AddressInfo;
  workspace = new Workspace(stack);
  const resources = { requests: { cpu: "5m", memory: "32Mi" } };
  workspace.configure({
    platform: { kind: "local" },
    exposure: { frontend: { type: "NodePort", nodePort: 30370 }, api: { type: "NodePort", nodePort: 30371 } },
    workloads: { api: { replicas: 1, resources }, frontend: { replicas: 1, resources } },
    observability: { traces: { endpoint: `http://${ownAddress()}:${port}` } },
  });
  await workspace.deliver();
});

afterAll(async () => {
  await workspace.run("destroy", "--deliver", "direct");
  workspace.remove();
  collector.close();
});

/** Spans with the name of their service. */
function spans(): (Span & { readonly service: string })[] {
  return received
    .flatMap(({ resourceSpans }) => resourceSpans)
    .flatMap(({ resource, scopeSpans }) => {
      const service = resource.attributes.find(({ key }) => key === "service.name")?.value.stringValue ?? "";
      return scopeSpans.flatMap((scope) => scope.spans.map((span) => ({ ...span, service })));
    });
}

test("one trace goes from the page through the api to the database, and has no secret in it", async () => {
  const { headers } = await fetch(page);
  const traceparent = /traceparent;desc="([^"]+)"/.exec(headers.get("server-timing") ?? "")?.[1] ?? "";
  // As the page's script does.
  await fetch(`${api}/api/visits?token=hunter2`, { method: "POST", headers: { traceparent } });
  const traceId = traceparent.split("-")[1];
  const trace = () => spans().filter((span) => span.traceId === traceId);
  await expect.poll(() => trace().length, { timeout: 30_000 }).toBe(4);
  const named = (name: string) => trace().find((span) => span.name === name);
  const first = trace().find(({ service }) => service === "frontend");
  const [request, insert] = ["POST /api/visits", "INSERT visits"].map(named);
  expect(first?.name).toMatch(/^GET \//);
  expect(request).toMatchObject({ service: "api", parentSpanId: first?.spanId });
  expect(insert).toMatchObject({ service: "api", parentSpanId: request?.spanId });
  const { items } = await clients().core.listNamespacedSecret({ namespace: stack });
  const text = JSON.stringify(received);
  expect(text).not.toContain("hunter2");
  for (const { data = {} } of items)
    for (const value of Object.values(data)) {
      const secret = Buffer.from(value, "base64").toString();
      // Names and ports are no secrets.
      if (secret.length >= 16) expect(text).not.toContain(secret);
    }
});
