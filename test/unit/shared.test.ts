import { beforeEach, expect, test, vi } from "vitest";
import { keepOnDestroy, stackLabels } from "../../infra/workloads/labels.ts";
import type { RawConfig } from "../../local/deliver/project.ts";
import { runProgram } from "../support/program.ts";

vi.mock("../../infra/images/buildNumber.ts", () => ({ buildNumber: () => "0123456789" }));

const platform = vi.hoisted(() => ({ value: undefined as unknown }));
/** What the shared cluster has, by kind. */
const live = vi.hoisted(() => ({ objects: {} as { readonly [kind: string]: unknown } }));
vi.mock("../../infra/platform/reader.ts", () => ({
  clusterReader: (kubeconfig: string) => async (_: string, kind: string) => {
    expect(kubeconfig).toBe("the kubeconfig");
    return live.objects[kind];
  },
}));
vi.mock("@pulumi/pulumi", async (original) => {
  const pulumi = await original<typeof import("@pulumi/pulumi")>();
  return {
    ...pulumi,
    StackReference: class {
      async getOutputDetails() {
        return { secretValue: platform.value };
      }
    },
  };
});

const shared = {
  version: 1,
  cluster: {
    kubeconfig: "the kubeconfig",
    clusterIdentifier: "the cluster",
    disposable: false,
    nodeAddress: "192.0.2.7",
  },
  registry: {
    server: "registry.example",
    push: { username: "pusher", password: "push-password" },
    pull: { username: "puller", password: "pull-password" },
  },
  builder: { platform: "linux/amd64" },
};

const config: RawConfig = {
  "slipway:platform": { kind: "shared", stack: "organization/slipway/dev" },
  "slipway:exposure": { api: { type: "NodePort" }, frontend: { type: "NodePort" } },
};

beforeEach(() => {
  platform.value = shared;
  live.objects = {};
});

test("a stack on another one's platform makes no cluster and no registry, and delivers to theirs", async () => {
  const { resources } = await runProgram("review", config);
  expect(resources.filter(({ type }) => type.startsWith("azure-native:"))).toEqual([]);
  const provider = resources.find(({ type }) => type === "pulumi:providers:kubernetes");
  expect(provider?.inputs).toMatchObject({
    clusterIdentifier: "the cluster",
    kubeconfig: { "[secret]": "the kubeconfig" },
  });
  const image = resources.find(({ name, type }) => type.startsWith("docker:") && name === "api");
  expect(image?.inputs).toMatchObject({
    imageName: "registry.example/slipway/api:0123456789",
    registry: { "[secret]": { username: "pusher" } },
  });
});

test("its pods pull as the user that may only pull, and the URL is at the shared nodes' address", async () => {
  const { resources, outputs } = await runProgram("review", config);
  const secret = resources.find(({ name }) => name === "stack-registry-pull")?.inputs as {
    data: { "[secret]": { ".dockerconfigjson": string } };
  };
  const { auths } = JSON.parse(
    Buffer.from(secret.data["[secret]"][".dockerconfigjson"], "base64").toString(),
  );
  expect(auths).toEqual({
    "registry.example": {
      username: "puller",
      password: "pull-password",
      auth: Buffer.from("puller:pull-password").toString("base64"),
    },
  });
  expect(outputs.urls).toMatchObject({ api: "http://192.0.2.7:31234", frontend: "http://192.0.2.7:31234" });
});

test("a database's key that the shared cluster has is taken, for its volume may have been made with it", async () => {
  live.objects = { Secret: { data: { key: "dGVzdA==" } } };
  const { resources } = await runProgram("review", config);
  const key = resources.find(({ name }) => name === "database-key");
  expect(key?.inputs).toMatchObject({ data: { "[secret]": { key: "dGVzdA==" } } });
});

const claim = (labels: object, annotations: object, storage = "1Gi") => ({
  metadata: { labels, annotations },
  spec: { resources: { requests: { storage } } },
});
const mine = stackLabels({ project: "slipway", stack: "review" });

test.each([
  [
    "a volume that outlived the stack is taken over",
    { PersistentVolumeClaim: claim(mine, keepOnDestroy) },
    true,
  ],
  ["nothing is, where nothing was kept", {}, false],
  [
    "nothing is, where the server runs on it",
    { PersistentVolumeClaim: claim(mine, keepOnDestroy), StatefulSet: {} },
    false,
  ],
  [
    "nothing is, where the volume is another stack's",
    { PersistentVolumeClaim: claim(stackLabels({ project: "slipway", stack: "other" }), keepOnDestroy) },
    false,
  ],
  ["nothing is, where it was not to be kept", { PersistentVolumeClaim: claim(mine, {}) }, false],
])("%s", async (_, objects, upsertExistingObjects) => {
  live.objects = objects;
  const { resources } = await runProgram("review", config);
  const provider = resources.find(({ type }) => type === "pulumi:providers:kubernetes");
  expect(provider?.inputs).toMatchObject({ upsertExistingObjects: String(upsertExistingObjects) });
});

test("a volume of the shared cluster does not shrink: that is found out before anything is changed", async () => {
  live.objects = { PersistentVolumeClaim: claim(mine, keepOnDestroy, "2Gi") };
  await expect(runProgram("review", config)).rejects.toThrow(
    'slipway:database.storage = "1Gi": must not be less than the 2Gi that the volume has. Set it to 2Gi or more: a volume cannot shrink.',
  );
});

test.each([
  [
    "has not been deployed",
    undefined,
    /^slipway:platform\.stack = "organization\/slipway\/dev": has no platform to share\. Deploy it first: pulumi up --stack organization\/slipway\/dev\.$/,
  ],
  [
    "was deployed by another version",
    { ...shared, version: 2 },
    /was deployed by a version of this program that shares its platform in another way\. Deploy it again/,
  ],
  [
    "shares something else",
    "a string",
    /was deployed by a version of this program that shares its platform in another way/,
  ],
])("a referenced stack that %s is refused before anything is created", async (_, value, message) => {
  platform.value = value;
  await expect(runProgram("review", config)).rejects.toThrow(message);
});
