import { afterAll, beforeAll, expect, test } from "vitest";
import { readDescriptor } from "../../local/descriptor.ts";
import { type Clients, clients, getText } from "../support/cluster.ts";
import { Workspace } from "../support/workspace.ts";

const stack = "test-failure";
const frontend = "http://127.0.0.1:30280";
let workspace: Workspace;
let cluster: Clients;

const exposure = {
  frontend: { type: "NodePort", nodePort: 30280 },
  api: { type: "NodePort", nodePort: 30281 },
};

function configure(extra: { readonly [key: string]: unknown } = {}): void {
  workspace.configure({ platform: { kind: "local" }, exposure, ...extra });
}

beforeAll(async () => {
  workspace = new Workspace(stack);
  cluster = clients();
  configure();
  await workspace.deliver();
});

afterAll(async () => {
  configure();
  await workspace.run("destroy", "--deliver", "direct");
  workspace.remove();
});

/** Runs a delivery that must fail, and makes sure that the page is still served and that no secret was printed. */
async function failingDelivery(): Promise<string> {
  const { exitCode, output } = await workspace.run("start", "--deliver", "direct");
  expect(exitCode).toBe(1);
  expect(output).not.toContain(readDescriptor().registry.password);
  expect(await getText(frontend)).toContain("<h1");
  return output;
}

test("a pod whose pull secret is wrong is refused by the registry", async () => {
  const { server } = readDescriptor().registry;
  const auth = Buffer.from("slipway:wrong").toString("base64");
  const body = {
    metadata: { name: "wrong-pull" },
    type: "kubernetes.io/dockerconfigjson",
    stringData: { ".dockerconfigjson": JSON.stringify({ auths: { [server]: { auth } } }) },
  };
  const { items } = await cluster.core.listNamespacedPod({
    namespace: stack,
    labelSelector: "app.kubernetes.io/name=api",
  });
  const container = items[0]?.spec?.containers[0];
  await cluster.core.createNamespacedSecret({ namespace: stack, body });
  await cluster.core.createNamespacedPod({
    namespace: stack,
    body: {
      metadata: { name: "wrong-pull" },
      spec: {
        imagePullSecrets: [{ name: "wrong-pull" }],
        securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
        // A pull is forced: the node has the image already.
        containers: [
          {
            name: "api",
            image: container?.image as string,
            imagePullPolicy: "Always",
            securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
          },
        ],
      },
    },
  });
  await expect
    .poll(
      async () => {
        const { status } = await cluster.core.readNamespacedPod({ namespace: stack, name: "wrong-pull" });
        return status?.containerStatuses?.[0]?.state?.waiting?.message;
      },
      { timeout: 60_000 },
    )
    .toMatch(/401|authorization failed|unauthorized/i);
  await cluster.core.deleteNamespacedPod({ namespace: stack, name: "wrong-pull", gracePeriodSeconds: 0 });
});

test("a pull secret that was changed by hand equals the registry's credentials again after a run", async () => {
  const before = await cluster.core.readNamespacedSecret({ namespace: stack, name: "registry-pull" });
  const wrong = Buffer.from('{"auths":{}}').toString("base64");
  await cluster.core.replaceNamespacedSecret({
    namespace: stack,
    name: "registry-pull",
    body: { ...before, data: { ".dockerconfigjson": wrong } },
  });
  await workspace.deliver();
  const { data } = await cluster.core.readNamespacedSecret({ namespace: stack, name: "registry-pull" });
  expect(data).toEqual(before.data);
});

test("a build that fails shows its last lines and leaves the old pods serving", async () => {
  const page = workspace.read("app/frontend/src/main.ts");
  workspace.write("app/frontend/src/main.ts", "this is not TypeScript\n");
  const output = await failingDelivery();
  expect(output).toContain("docker build of frontend (app/frontend/Dockerfile): must succeed (exit 1)");
  expect(output).toMatch(/main\.ts/);
  workspace.write("app/frontend/src/main.ts", page);
});

test("a missing Dockerfile is named before anything is built", async () => {
  const dockerfile = workspace.read("app/api/Dockerfile");
  workspace.delete("app/api/Dockerfile");
  expect(await failingDelivery()).toContain(
    'infra/application.ts: api.image = "app/api/Dockerfile": is a Dockerfile that does not exist.',
  );
  workspace.write("app/api/Dockerfile", dockerfile);
});

test("a release whose pods never become ready ends within its deadline, says why, and leaves the old pods serving", async () => {
  configure({ workloads: { api: { env: { PORT: "http" }, rolloutDeadlineSeconds: 10 } } });
  const output = await failingDelivery();
  expect(output).toContain(`Deployment ${stack}/api`);
  expect(output).toContain("must make progress within 10 s; the pods of the last good release keep serving");
  // The container's own last words.
  expect(output).toMatch(/log: .*PORT/);
  configure();
  await workspace.deliver();
});

test("registry credentials that the registry refuses are told by user, without the password", async () => {
  const { registry, kubeconfig, context } = readDescriptor();
  configure({
    platform: {
      kind: "local",
      kubeconfig,
      context,
      registry: { server: registry.server, username: "slipway", password: "wrong-password" },
    },
  });
  const output = await failingDelivery();
  expect(output).toContain(
    `slipway:platform.registry.username = "slipway": is refused by the registry ${registry.server}, or its password is wrong.`,
  );
  expect(output).not.toContain("wrong-password");
  configure();
});

test("a registry that is down and a cluster that cannot be reached are named with their addresses", async () => {
  const { kubeconfig, context, registry } = readDescriptor();
  configure({ platform: { kind: "local", kubeconfig, context, registry: { server: "127.0.0.1:9" } } });
  expect(await failingDelivery()).toContain(
    'slipway:platform.registry.server = "127.0.0.1:9": is a registry that cannot be reached: nothing listens there.',
  );
  workspace.write(
    "dead.kubeconfig",
    'apiVersion: v1\nkind: Config\nclusters: [{name: c, cluster: {server: "https://127.0.0.1:9"}}]\nusers: [{name: u, user: {}}]\ncontexts: [{name: dead, context: {cluster: c, user: u}}]\n',
  );
  configure({
    platform: {
      kind: "local",
      kubeconfig: `${workspace.path}/dead.kubeconfig`,
      context: "dead",
      registry: { server: registry.server, username: registry.username, password: registry.password },
    },
  });
  expect(await failingDelivery()).toContain(
    'slipway:platform.context = "https://127.0.0.1:9": is a cluster that cannot be reached: nothing listens there.',
  );
  configure();
});

test("a wrong configuration stops the run before anything changes", async () => {
  configure({ exposure: { ...exposure, api: { type: "NodePort", nodePort: 30280 } } });
  expect(await failingDelivery()).toContain(
    "slipway:exposure.frontend.nodePort = 30280: is used twice: exposure.api.nodePort has it too.",
  );
  configure();
});
