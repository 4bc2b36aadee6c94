import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { stringify } from "yaml";
import { Cluster, type KubeObject } from "../../infra/cluster/cluster.ts";

/** An API server that knows no object and keeps what it is sent. */
async function apiServer() {
  const sent: unknown[] = [];
  const kinds = {
    NetworkPolicy: "networkpolicies",
    LimitRange: "limitranges",
    CustomResourceDefinition: "crds",
  };
  const resources = Object.entries(kinds).map(([kind, name]) => ({
    kind,
    name,
    namespaced: kind !== "CustomResourceDefinition",
  }));
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const answer = (code: number, body: unknown) => {
      response.writeHead(code, { "content-type": "application/json" });
      response.end(JSON.stringify(body));
    };
    if (request.method === "PATCH") {
      sent.push(JSON.parse(Buffer.concat(chunks).toString()));
      answer(200, { ...(sent.at(-1) as object), metadata: { name: "sent", resourceVersion: "1" } });
    } else if (/\/v1$/.test(request.url ?? ""))
      answer(200, { kind: "APIResourceList", apiVersion: "v1", resources });
    else answer(404, { kind: "Status", apiVersion: "v1", code: 404 });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const kubeconfig = stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "c",
    clusters: [
      { name: "c", cluster: { server: `http://127.0.0.1:${port}`, "insecure-skip-tls-verify": true } },
    ],
    users: [{ name: "u", user: {} }],
    contexts: [{ name: "c", context: { cluster: "c", user: "u" } }],
  });
  return { sent, cluster: new Cluster(kubeconfig) };
}

test.each<[what: string, object: KubeObject]>([
  [
    "who a NetworkPolicy lets in",
    {
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { name: "api", namespace: "shop" },
      spec: { podSelector: {}, ingress: [{ from: [{ podSelector: { matchLabels: { app: "web" } } }] }] },
    } as KubeObject,
  ],
  [
    "the defaults of a LimitRange",
    {
      apiVersion: "v1",
      kind: "LimitRange",
      metadata: { name: "defaults", namespace: "shop" },
      spec: { limits: [{ type: "Container", default: { memory: "256Mi" } }] },
    } as KubeObject,
  ],
  [
    "the schema of a CustomResourceDefinition",
    {
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      metadata: { name: "things.example.com" },
      spec: {
        group: "example.com",
        scope: "Namespaced",
        names: { plural: "things", kind: "Thing" },
        versions: [
          {
            name: "v1",
            served: true,
            storage: true,
            schema: {
              openAPIV3Schema: {
                type: "object",
                "x-kubernetes-preserve-unknown-fields": true,
                properties: { size: { type: "string", enum: ["s", "l"], default: "s" } },
              },
            },
          },
        ],
      },
    } as KubeObject,
  ],
])("an object reaches the API server whole: %s", async (_, object) => {
  const { sent, cluster } = await apiServer();
  await cluster.apply(object);
  expect(sent).toEqual([object]);
});
