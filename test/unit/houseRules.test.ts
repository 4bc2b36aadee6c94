import "../support/offline.ts";
import * as pulumi from "@pulumi/pulumi";
import { describe, expect, test, vi } from "vitest";
import { application } from "../../infra/application.ts";
import { InputError } from "../../infra/config/error.ts";
import { houseRules } from "../../infra/policy/rules.ts";
import { evaluateProgram } from "../../local/deliver/evaluate.ts";
import { type RawConfig, stackConfig } from "../../local/deliver/project.ts";
import { promoted, type Registered, runProgram } from "../support/program.ts";
import { recordRegistrations } from "../support/registrations.ts";

const names = Object.keys(application);

const own = (registry: object) => ({
  kind: "local",
  context: "slipway",
  kubeconfig: new URL("../support/kubeconfig.yaml", import.meta.url).pathname,
  address: "192.0.2.7",
  registry,
});
const nodePorts = { api: { type: "NodePort" }, frontend: { type: "NodePort" } };

/** Stacks of every shape that the configuration allows, besides those that have a file. */
const stacks: { readonly [stack: string]: RawConfig } = {
  local: stackConfig("local"),
  dev: stackConfig("dev"),
  prod: stackConfig("prod"),
  "cluster-of-my-own": {
    "slipway:platform": own({ server: "registry.example", username: "ci", password: "registry-password" }),
    "slipway:exposure": nodePorts,
    "slipway:workloads": {
      api: { autoscaling: { minReplicas: 2, maxReplicas: 4 } },
      frontend: { replicas: 0 },
    },
  },
  "open-registry": {
    "slipway:platform": own({ server: "localhost:5001" }),
    "slipway:namespace": "team",
    "slipway:exposure": { api: { type: "LoadBalancer", internal: true }, frontend: { type: "LoadBalancer" } },
  },
  promoting: {
    "slipway:platform": own({ server: "registry.example" }),
    "slipway:exposure": nodePorts,
    "slipway:images": { source: "promote", stack: "organization/slipway/staging" },
  },
};

interface KubeInputs {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels: Record<string, string>;
  };
  readonly data: Record<string, unknown>;
  readonly spec: {
    readonly template: {
      readonly metadata: KubeInputs["metadata"];
      readonly spec: {
        readonly automountServiceAccountToken: boolean;
        readonly imagePullSecrets?: readonly { readonly name: string }[];
        readonly securityContext: object;
        readonly containers: readonly {
          readonly image: string;
          readonly env: readonly { readonly name: string; readonly value?: string }[];
          readonly resources: object;
          readonly securityContext: object;
        }[];
      };
    };
  };
}

const isKube = ({ type }: Registered) => type.startsWith("kubernetes:");
const inputsOf = (resource: Registered | undefined) => resource?.inputs as unknown as KubeInputs;

/** Runs the program of a stack. @returns also what it exports, before that is resolved */
async function run(stack: string, config = stacks[stack]) {
  const spy = vi.spyOn(pulumi, "output");
  try {
    const recorded = await recordRegistrations(() => runProgram(stack, config));
    const exported = spy.mock.calls
      .map(([value]) => value as unknown)
      .find(
        (value) => typeof value === "object" && value !== null && "kubeconfig" in value && "urls" in value,
      );
    return { ...recorded, exported: exported as { readonly [name: string]: pulumi.Output<unknown> } };
  } finally {
    spy.mockRestore();
  }
}

const runs = new Map(
  Object.keys(stacks).map((stack) => [stack, undefined as ReturnType<typeof run> | undefined]),
);
/** The run of a stack, shared by the rules. One at a time: the SDK's mocks are global. */
let queue: Promise<unknown> = Promise.resolve();
function runOf(stack: string): ReturnType<typeof run> {
  let known = runs.get(stack);
  if (known === undefined) {
    known = queue.then(() => run(stack));
    queue = known.catch(() => {});
    runs.set(stack, known);
  }
  return known;
}

describe.each(Object.keys(stacks))("in the stack %s", (stack) => {
  const resources = async () => (await runOf(stack)).result.resources;
  const ofType = async (type: string) => (await resources()).filter((resource) => resource.type === type);
  const pods = async () =>
    (await ofType("kubernetes:apps/v1:Deployment")).map((resource) => inputsOf(resource).spec.template);

  test("there is a Deployment and a Service for each workload", async () => {
    for (const type of ["kubernetes:apps/v1:Deployment", "kubernetes:core/v1:Service"])
      expect((await ofType(type)).map((resource) => inputsOf(resource).metadata.name)).toEqual(
        expect.arrayContaining(names),
      );
  });

  test("every resource keeps the house rules that the policy pack has", async () => {
    expect(await pods()).toHaveLength(names.length);
    // The stack of production that comes with the project leaves the API server's addresses to the team.
    const left = stack === "prod" ? ["production-api-server-access"] : [];
    const broken = (await resources()).flatMap(({ type, name, inputs }) =>
      houseRules
        .filter((rule) => !left.includes(rule.name))
        .flatMap((rule) =>
          rule.violations({ type, props: inputs }).map((said) => `${name}: ${rule.name}: ${said}`),
        ),
    );
    expect(broken).toEqual([]);
  });

  test("everything in the cluster has the stack's labels", async () => {
    for (const { type, name, inputs } of (await resources()).filter(isKube)) {
      const { labels } = (inputs as unknown as KubeInputs).metadata;
      expect({ type, name, labels }).toEqual({
        type,
        name,
        labels: expect.objectContaining({
          "app.kubernetes.io/instance": stack,
          "app.kubernetes.io/part-of": "slipway",
          "app.kubernetes.io/managed-by": "slipway",
        }),
      });
    }
  });

  test("everything in the cluster is in the stack's namespace, on the stack's cluster", async () => {
    const namespace = stack === "open-registry" ? "team" : stack;
    for (const { type, name, provider, inputs } of (await resources()).filter(isKube)) {
      const { metadata } = inputs as unknown as KubeInputs;
      const actual = type === "kubernetes:core/v1:Namespace" ? metadata.name : metadata.namespace;
      expect({ name, provider, namespace: actual }).toEqual({ name, provider: "cluster", namespace });
    }
  });

  test("every object has a component as its parent, and a logical name that begins with the component's", async () => {
    const { registrations } = await runOf(stack);
    const components = registrations
      .filter(({ type }) => type.startsWith("slipway:"))
      .map(({ name }) => name);
    expect(components).toEqual(expect.arrayContaining([...names, "stack"]));
    for (const { type, name, parent } of registrations.filter((resource) =>
      resource.type.startsWith("kubernetes:"),
    )) {
      expect({ type, parent: components.includes(parent) }).toEqual({ type, parent: true });
      expect(name.startsWith(`${parent}-`)).toBe(true);
    }
  });

  test("the namespace enforces Pod Security restricted, and every pod meets it", async () => {
    expect(inputsOf((await ofType("kubernetes:core/v1:Namespace"))[0]).metadata.labels).toMatchObject({
      "pod-security.kubernetes.io/enforce": "restricted",
    });
    for (const { spec } of await pods()) {
      expect(spec.securityContext).toEqual({
        runAsNonRoot: true,
        seccompProfile: { type: "RuntimeDefault" },
      });
      expect(spec.automountServiceAccountToken).toBe(false);
      for (const { securityContext } of spec.containers)
        expect(securityContext).toEqual({
          allowPrivilegeEscalation: false,
          capabilities: { drop: ["ALL"] },
          readOnlyRootFilesystem: true,
        });
    }
  });

  test("every workload has a NetworkPolicy and a PodDisruptionBudget", async () => {
    for (const type of [
      "kubernetes:networking.k8s.io/v1:NetworkPolicy",
      "kubernetes:policy/v1:PodDisruptionBudget",
    ])
      expect((await ofType(type)).map((resource) => inputsOf(resource).metadata.name)).toEqual(
        expect.arrayContaining(names),
      );
  });

  test("every pod runs the build that its label and BUILD_NUMBER name", async () => {
    for (const { metadata, spec } of await pods())
      expect(spec.containers[0]?.env).toContainEqual({
        name: "BUILD_NUMBER",
        value: metadata.labels["app.kubernetes.io/version"],
      });
  });

  test("every secret is secret: the registry's password and the cluster's credentials", async () => {
    const hidden = (value: unknown): unknown => {
      if (typeof value !== "object" || value === null) return value;
      if ("[secret]" in value) return "hidden";
      return Array.isArray(value)
        ? value.map(hidden)
        : Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, hidden(inner)]));
    };
    const visible = JSON.stringify(hidden(await resources()));
    expect(visible).toContain('"kubeconfig":"hidden"');
    for (const secret of ["registry-password", "not-a-real-token", "password-of-push", "password-of-pull"]) {
      expect(visible).not.toContain(secret);
      expect(visible).not.toContain(Buffer.from(secret).toString("base64"));
    }
  });

  test("the kubeconfig that it puts out is a secret", async () => {
    const { exported } = await runOf(stack);
    expect(await pulumi.isSecret(exported.kubeconfig as pulumi.Output<unknown>)).toBe(true);
    expect(await pulumi.isSecret(exported.namespace as pulumi.Output<unknown>)).toBe(false);
  });

  test("the frontend's configuration and the api's permitted origins hold the addresses, after one run", async () => {
    const { outputs } = (await runOf(stack)).result;
    const urls = outputs.urls as Record<string, string>;
    const configMap = inputsOf((await ofType("kubernetes:core/v1:ConfigMap"))[0]);
    expect(configMap.data).toEqual({ "config.json": `${JSON.stringify({ apiUrl: urls.api }, null, 2)}\n` });
    const [api] = await pods();
    expect(api?.spec.containers[0]?.env).toContainEqual({ name: "CORS_ORIGINS", value: urls.frontend });
  });
});

test("what Azure would refuse to change of a cluster is replaced, not sent", async () => {
  const { registrations } = await runOf("prod");
  const cluster = registrations.find(({ type }) => type === "azure-native:containerservice:ManagedCluster");
  expect(cluster?.replaceOnChanges).toEqual([
    "apiServerAccessProfile.enablePrivateCluster",
    "agentPoolProfiles[*].vmSize",
    "agentPoolProfiles[*].availabilityZones",
    "agentPoolProfiles[*].vnetSubnetID",
  ]);
});

test("of all that a stack has, Pulumi refuses to delete its database server, and nothing else", async () => {
  const { registrations } = await runOf("prod");
  const kept = registrations.filter(({ protect }) => protect).map(({ name }) => name);
  expect(kept).toEqual(["database-server"]);
});

const urlsOf = async (stack: string) => (await runOf(stack)).result.outputs.urls;

test("the addresses are those that the cluster gives: the stack's NodePorts", async () => {
  expect(await urlsOf("local")).toMatchObject({
    api: "http://127.0.0.1:30081",
    frontend: "http://127.0.0.1:30080",
  });
});

test("the addresses are those that the cluster gives: NodePorts that it picks, at the platform's address", async () => {
  expect(await urlsOf("cluster-of-my-own")).toMatchObject({
    api: "http://192.0.2.7:31234",
    frontend: "http://192.0.2.7:31234",
  });
});

test("the addresses are those that the cluster gives: its load balancers'", async () => {
  expect(await urlsOf("open-registry")).toMatchObject({
    api: `http://203.0.113.${"api-service".length}`,
    frontend: `http://203.0.113.${"frontend-service".length}`,
  });
});

test("the pull secret holds the registry's credentials as the kubelet reads them", async () => {
  const { resources } = (await runOf("cluster-of-my-own")).result;
  const secret = resources.find(({ name }) => name === "stack-registry-pull");
  expect(inputsOf(secret).metadata.name).toBe("registry-pull");
  const data = secret?.inputs.data as { "[secret]": Record<string, string> };
  const auth = Buffer.from("ci:registry-password").toString("base64");
  expect(JSON.parse(Buffer.from(data["[secret]"][".dockerconfigjson"] ?? "", "base64").toString())).toEqual({
    auths: { "registry.example": { username: "ci", password: "registry-password", auth } },
  });
  const deployments = resources.filter(({ type }) => type === "kubernetes:apps/v1:Deployment");
  expect(deployments).toHaveLength(names.length);
  for (const deployment of deployments)
    expect(inputsOf(deployment).spec.template.spec.imagePullSecrets).toEqual([{ name: "registry-pull" }]);
});

test("a registry that asks nobody needs no pull secret", async () => {
  const { resources } = (await runOf("open-registry")).result;
  expect(resources.filter(({ name }) => name === "stack-registry-pull")).toEqual([]);
  for (const deployment of resources.filter(({ type }) => type === "kubernetes:apps/v1:Deployment"))
    expect(inputsOf(deployment).spec.template.spec).not.toHaveProperty("imagePullSecrets");
});

test("a promotion builds nothing, and runs the digests and build numbers of the stack that it names", async () => {
  const { resources, outputs } = (await runOf("promoting")).result;
  expect(resources.filter(({ type }) => type.startsWith("docker:"))).toEqual([]);
  expect(outputs.images).toEqual(Object.fromEntries(names.map((name) => [name, promoted(name)])));
});

describe("bad input stops the program before anything is registered", () => {
  async function attempt(config: RawConfig) {
    const registered: string[] = [];
    const message = await evaluateProgram({
      project: "slipway",
      stack: "dev",
      config,
      mocks: {
        newResource: ({ name, inputs }) => {
          registered.push(name);
          return { id: name, state: inputs };
        },
        call: () => ({}),
      },
    }).then(
      () => "accepted",
      (error: unknown) => {
        expect(error).toBeInstanceOf(InputError);
        return (error as InputError).message;
      },
    );
    return { message, registered };
  }

  test("a configuration that breaks a rule", async () => {
    expect(await attempt({ ...stacks.local, "slipway:workloads": { api: { replicas: -1 } } })).toEqual({
      message: "Pulumi.dev.yaml: slipway:workloads.api.replicas = -1: must be 0 or more.",
      registered: [],
    });
  });

  test("an application that does not fit the configuration", async () => {
    const { message, registered } = await attempt({
      ...stacks.local,
      "slipway:exposure": { api: { type: "NodePort" } },
    });
    expect(message).toBe(
      'slipway:exposure.frontend = "ClusterIP": gives no public address, and CORS_ORIGINS of infra/application.ts: api needs one. Set slipway:exposure.frontend.type to NodePort.',
    );
    expect(registered).toEqual([]);
  });

  test("a kubeconfig without the context", async () => {
    const platform = { ...own({ server: "localhost:5001" }), context: "nosuch" };
    const { message, registered } = await attempt({
      ...stacks["open-registry"],
      "slipway:platform": platform,
    });
    expect(message).toBe(
      `slipway:platform.context = "nosuch": is not in ${platform.kubeconfig}. The contexts there are: slipway.`,
    );
    expect(registered).toEqual([]);
  });
});
