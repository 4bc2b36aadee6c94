import * as pulumi from "@pulumi/pulumi";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InputError } from "../../infra/config/error.ts";
import { loadStack } from "../../infra/config/load.ts";
import { parseStackConfig } from "../../infra/config/parse.ts";
import { compareQuantities } from "../../infra/config/primitives.ts";
import { stackConfiguration, workloadNames } from "../support/arbitrary.ts";

const context = { stack: "dev", workloads: [...workloadNames] };
// A cluster of one's own takes every kind of exposure.
const platform = { kind: "local", context: "own", registry: { server: "registry.example" } };
const own = { kind: "local", context: "kind", registry: { server: "localhost:5001" } };

/** The message of the InputError that a call ends in. */
function refusal(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    expect(error).toBeInstanceOf(InputError);
    return (error as InputError).message;
  }
  throw new Error("nothing was refused");
}

const messageOf = (raw: unknown) => refusal(() => parseStackConfig(raw, context));
/** A configuration in which only the api's override, exposure or registry is of interest. */
const override = (api: unknown) => ({ platform, workloads: { api } });
const exposed = (api: unknown) => ({ platform, exposure: { api } });
const registry = (given: unknown) => ({ platform: { ...own, registry: given } });
const requests = (given: unknown) => override({ resources: { requests: given } });

const seeSchema = "See infra/config/stack.schema.json for the keys there are.";
const dnsLabel =
  "must be a DNS label: lower-case letters, digits and dashes, beginning and ending with a letter or digit.";
const host = "must be a registry's host name, with :port if need be, and without https:// or a path.";
const imageName = "must be an image name: lower-case letters, digits and single separators (. _ __ - /).";
const variable =
  "must be an environment variable's name: letters, digits and underscores, not beginning with a digit.";

describe("a value that breaks a rule is refused with its key, the value and the rule", () => {
  test.each<[rule: string, raw: unknown, message: string]>([
    ["no configuration", undefined, "configuration: is required and must be a map."],
    ["no platform", {}, "slipway:platform: is required and must be a map."],
    ["an unknown key", { platform, typo: 1 }, `slipway:typo: is not a known key. ${seeSchema}`],
    [
      "an unknown key in a map",
      override({ replica: 3 }),
      `slipway:workloads.api.replica: is not a known key. ${seeSchema}`,
    ],
    [
      "an unknown key far down",
      requests({ gpu: "1" }),
      `slipway:workloads.api.resources.requests.gpu: is not a known key. ${seeSchema}`,
    ],
    [
      "a key of another exposure",
      exposed({ type: "ClusterIP", port: 80 }),
      `slipway:exposure.api.port: is not a known key. ${seeSchema}`,
    ],
    [
      "an unknown kind of platform",
      { platform: { kind: "gcp" } },
      'slipway:platform.kind = "gcp": must be "local" or "azure" or "shared".',
    ],
    [
      "a platform without its kind",
      { platform: {} },
      'slipway:platform.kind: must be "local" or "azure" or "shared".',
    ],
    [
      "an unknown delivery",
      { platform, delivery: { kind: "ftp" } },
      'slipway:delivery.kind = "ftp": must be "push" or "gitops".',
    ],
    [
      "an unknown exposure",
      exposed({ type: "Tunnel" }),
      'slipway:exposure.api.type = "Tunnel": must be "ClusterIP" or "NodePort" or "LoadBalancer" or "Ingress".',
    ],
    [
      "an unknown source of images",
      { platform, images: { source: "pull" } },
      'slipway:images.source = "pull": must be "build" or "promote" or "digests".',
    ],

    ["text for a map", { platform, workloads: "many" }, 'slipway:workloads = "many": must be a map.'],
    ["a list for a map", { platform, workloads: [] }, "slipway:workloads: must be a map."],
    ["null for a map", { platform, workloads: null }, "slipway:workloads = null: must be a map."],
    [
      "text for a list",
      exposed({ type: "LoadBalancer", allowedSources: "10.0.0.0/8" }),
      'slipway:exposure.api.allowedSources = "10.0.0.0/8": must be a list.',
    ],
    [
      "text for a switch",
      exposed({ type: "LoadBalancer", internal: "yes" }),
      'slipway:exposure.api.internal = "yes": must be true or false.',
    ],
    [
      "text for a number",
      override({ replicas: "3" }),
      'slipway:workloads.api.replicas = "3": must be a whole number.',
    ],
    [
      "a fraction for a whole number",
      override({ replicas: 1.5 }),
      "slipway:workloads.api.replicas = 1.5: must be a whole number.",
    ],
    ["a number for text", { platform, namespace: 5 }, "slipway:namespace = 5: must be a string."],
    [
      "a number for an environment variable",
      override({ env: { PORT: 8080 } }),
      "slipway:workloads.api.env.PORT = 8080: must be a string: quote numbers and booleans.",
    ],
    ["a bad variable name", override({ env: { "A-B": "x" } }), `slipway:workloads.api.env.A-B: ${variable}`],

    [
      "replicas below 0",
      override({ replicas: -1 }),
      "slipway:workloads.api.replicas = -1: must be 0 or more.",
    ],
    [
      "replicas above 1000",
      override({ replicas: 1001 }),
      "slipway:workloads.api.replicas = 1001: must be 1000 or less.",
    ],
    [
      "replicas beside an autoscaler",
      override({ replicas: 2, autoscaling: { minReplicas: 1, maxReplicas: 2 } }),
      "slipway:workloads.api.replicas = 2: cannot be set together with autoscaling. Remove one: the autoscaler owns the number of pods.",
    ],
    [
      "an autoscaler's maximum under its minimum",
      override({ autoscaling: { minReplicas: 3, maxReplicas: 2 } }),
      "slipway:workloads.api.autoscaling.maxReplicas = 2: must not be less than minReplicas (3).",
    ],
    [
      "an autoscaler's minimum of 0",
      override({ autoscaling: { minReplicas: 0, maxReplicas: 2 } }),
      "slipway:workloads.api.autoscaling.minReplicas = 0: must be 1 or more.",
    ],
    [
      "an autoscaler's target above 100 %",
      override({ autoscaling: { minReplicas: 1, maxReplicas: 2, targetCPUUtilization: 101 } }),
      "slipway:workloads.api.autoscaling.targetCPUUtilization = 101: must be a percentage from 1 to 100.",
    ],
    [
      "a rollout deadline too short to roll out",
      override({ rolloutDeadlineSeconds: 9 }),
      "slipway:workloads.api.rolloutDeadlineSeconds = 9: must be 10 or more.",
    ],
    [
      "a rollout deadline above an hour",
      override({ rolloutDeadlineSeconds: 3601 }),
      "slipway:workloads.api.rolloutDeadlineSeconds = 3601: must be 3600 or less.",
    ],

    [
      "port 0",
      exposed({ type: "LoadBalancer", port: 0 }),
      "slipway:exposure.api.port = 0: must be a port from 1 to 65535.",
    ],
    [
      "port 65536",
      exposed({ type: "LoadBalancer", port: 65536 }),
      "slipway:exposure.api.port = 65536: must be a port from 1 to 65535.",
    ],
    [
      "NodePort 29999",
      exposed({ type: "NodePort", nodePort: 29999 }),
      "slipway:exposure.api.nodePort = 29999: must be a NodePort from 30000 to 32767.",
    ],
    [
      "NodePort 32768",
      exposed({ type: "NodePort", nodePort: 32768 }),
      "slipway:exposure.api.nodePort = 32768: must be a NodePort from 30000 to 32767.",
    ],
    [
      "a NodePort used twice",
      {
        platform,
        exposure: {
          api: { type: "NodePort", nodePort: 30001 },
          frontend: { type: "NodePort", nodePort: 30001 },
        },
      },
      "slipway:exposure.frontend.nodePort = 30001: is used twice: exposure.api.nodePort has it too. Give each workload a port of its own.",
    ],
    [
      "a source that is no CIDR",
      exposed({ type: "LoadBalancer", allowedSources: ["10.0.0.0"] }),
      'slipway:exposure.api.allowedSources[0] = "10.0.0.0": must be an IPv4 CIDR such as 203.0.113.0/24.',
    ],
    [
      "an empty list of sources",
      exposed({ type: "LoadBalancer", allowedSources: [] }),
      "slipway:exposure.api.allowedSources: must name at least one CIDR.",
    ],

    [
      "a namespace with capitals",
      { platform, namespace: "Team_A" },
      `slipway:namespace = "Team_A": ${dnsLabel}`,
    ],
    [
      "a namespace that ends with a dash",
      { platform, namespace: "team-" },
      `slipway:namespace = "team-": ${dnsLabel}`,
    ],
    ["an empty namespace", { platform, namespace: "" }, `slipway:namespace = "": ${dnsLabel}`],
    [
      "a namespace of 64 characters",
      { platform, namespace: "a".repeat(64) },
      `slipway:namespace = "${"a".repeat(64)}": must be a DNS label of at most 63 characters.`,
    ],

    [
      "an image name with uppercase",
      { platform, images: { source: "build", repository: "Shop" } },
      `slipway:images.repository = "Shop": ${imageName}`,
    ],
    [
      "an image name with a tag",
      { platform, images: { source: "build", repository: "shop:1" } },
      `slipway:images.repository = "shop:1": ${imageName}`,
    ],
    [
      "a base image with uppercase",
      { platform, images: { source: "build", baseImage: "Node:24" } },
      'slipway:images.baseImage = "Node:24": must be an image reference such as node:24-bookworm-slim, in lower case.',
    ],
    [
      "a build platform without its system",
      { platform, images: { source: "build", platform: "amd64" } },
      'slipway:images.platform = "amd64": must be os/architecture, such as linux/amd64.',
    ],
    [
      "a promoted stack that is not fully named",
      { platform, images: { source: "promote", stack: "dev" } },
      "slipway:images.stack = \"dev\": must be organization/project/stack (organization is 'organization' in a backend of your own).",
    ],
    [
      "a promotion from nowhere",
      { platform, images: { source: "promote" } },
      "slipway:images.stack: is required and must be a string.",
    ],

    [
      "a malformed CPU quantity",
      requests({ cpu: "100milli" }),
      'slipway:workloads.api.resources.requests.cpu = "100milli": must be a Kubernetes quantity such as "250m".',
    ],
    [
      "a CPU quantity as a number",
      requests({ cpu: 1 }),
      'slipway:workloads.api.resources.requests.cpu = 1: must be a Kubernetes quantity as a string, such as "250m".',
    ],
    [
      "a malformed memory quantity",
      requests({ memory: "128MB" }),
      'slipway:workloads.api.resources.requests.memory = "128MB": must be a Kubernetes quantity such as "128Mi".',
    ],
    [
      "a negative memory quantity",
      requests({ memory: "-1Gi" }),
      'slipway:workloads.api.resources.requests.memory = "-1Gi": must be a Kubernetes quantity such as "128Mi".',
    ],
    [
      "a CPU limit under its request",
      override({ resources: { requests: { cpu: "500m" }, limits: { cpu: "0.25" } } }),
      'slipway:workloads.api.resources.limits.cpu = "0.25": must not be less than requests.cpu (500m). Raise the limit or lower the request.',
    ],
    [
      "a memory limit under its request",
      override({ resources: { requests: { memory: "1.5Gi" }, limits: { memory: "1535Mi" } } }),
      'slipway:workloads.api.resources.limits.memory = "1535Mi": must not be less than requests.memory (1.5Gi). Raise the limit or lower the request.',
    ],

    [
      "an override of an unknown workload",
      { platform, workloads: { apj: { replicas: 1 } } },
      "slipway:workloads.apj: is not a workload of this application. The workloads are: api, frontend.",
    ],
    [
      "an exposure of an unknown workload",
      { platform, exposure: { apj: { type: "ClusterIP" } } },
      "slipway:exposure.apj: is not a workload of this application. The workloads are: api, frontend.",
    ],
    [
      "secrets of an unknown workload",
      { platform, secrets: { apj: {} } },
      "slipway:secrets.apj: is not a workload of this application. The workloads are: api, frontend.",
    ],

    [
      "a context without a registry",
      { platform: { kind: "local", context: "kind" } },
      "slipway:platform.registry: is required with context. Name a registry that this machine can push to and the cluster can pull from.",
    ],
    [
      "a registry without a context",
      { platform: { kind: "local", registry: { server: "localhost:5001" } } },
      "slipway:platform.context: is required with registry. Name the kubeconfig context of your cluster.",
    ],
    [
      "a kubeconfig without a context",
      { platform: { kind: "local", kubeconfig: "config" } },
      "slipway:platform.context: is required with kubeconfig. Name the kubeconfig context of your cluster.",
    ],
    [
      "an empty context",
      { platform: { ...own, context: "" } },
      'slipway:platform.context = "": must not be empty.',
    ],
    [
      "a registry without a server",
      registry({}),
      "slipway:platform.registry.server: is required and must be a string.",
    ],
    [
      "a registry by URL",
      registry({ server: "https://registry.example/v2" }),
      `slipway:platform.registry.server = "https://registry.example/v2": ${host}`,
    ],
    [
      "a registry with uppercase",
      registry({ server: "ACR.azurecr.io" }),
      `slipway:platform.registry.server = "ACR.azurecr.io": ${host}`,
    ],
    [
      "a registry's port out of range",
      registry({ server: "localhost:65536" }),
      'slipway:platform.registry.server = "localhost:65536": must have a port from 1 to 65535.',
    ],
    [
      "a user without a password",
      registry({ server: "localhost:5001", username: "ci" }),
      "slipway:platform.registry.password: is required with username. Set it by: pulumi config set --secret --path slipway:platform.registry.password.",
    ],
    [
      "a password without a user",
      registry({ server: "localhost:5001", password: "hunter2" }),
      "slipway:platform.registry.username: is required with password.",
    ],
  ])("%s", (_, raw, message) => {
    expect(messageOf(raw)).toBe(message);
  });
});

test("Pulumi takes bad input for a RunError, of which it prints the message alone", () => {
  expect(pulumi.RunError.isInstance(new InputError({ key: "key", rule: "must be" }))).toBe(true);
});

test("all problems are reported at once, a line each", () => {
  expect(
    messageOf({
      platform,
      namespace: "A",
      typo: 1,
      workloads: { api: { replicas: -1 }, frontend: { env: { A: 1 } } },
    }),
  ).toBe(
    [
      `slipway:namespace = "A": ${dnsLabel}`,
      "slipway:workloads.api.replicas = -1: must be 0 or more.",
      "slipway:workloads.frontend.env.A = 1: must be a string: quote numbers and booleans.",
      `slipway:typo: is not a known key. ${seeSchema}`,
    ].join("\n"),
  );
});

describe("a message never shows a secret", () => {
  test.each<[rule: string, raw: unknown, message: string]>([
    [
      "a secret of the wrong type",
      { platform, secrets: { api: { TOKEN: 7431 } } },
      'slipway:secrets.api.TOKEN: must be a string, or { keyVault: "vault/secret" }.',
    ],
    [
      "an empty secret",
      { platform, secrets: { api: { TOKEN: "" } } },
      "slipway:secrets.api.TOKEN: must not be empty.",
    ],
    [
      "a secret under a bad name",
      { platform, secrets: { api: { "1A": "hunter2" } } },
      `slipway:secrets.api.1A: ${variable}`,
    ],
    [
      "a secret in the place of the workload's map",
      { platform, secrets: { api: "hunter2" } },
      "slipway:secrets.api: must be a map.",
    ],
    [
      "a database of an unknown kind",
      { platform, database: { kind: "sqlite" } },
      'slipway:database.kind = "sqlite": must be "inCluster" or "azure" or "external".',
    ],
    [
      "an image of the database that is not a digest",
      { platform, database: { kind: "inCluster", image: "postgres:17" } },
      'slipway:database.image = "postgres:17": must be an image by digest: name@sha256:….',
    ],
    [
      "a secret in the place of all secrets",
      { platform, secrets: "hunter2" },
      "slipway:secrets: must be a map.",
    ],
    [
      "secrets of an unknown workload",
      { platform, secrets: { apj: { TOKEN: "hunter2" } } },
      "slipway:secrets.apj: is not a workload of this application. The workloads are: api, frontend.",
    ],
    [
      "a password of the wrong type",
      registry({ server: "localhost:5001", username: "ci", password: 7431 }),
      "slipway:platform.registry.password: must be a string.",
    ],
    [
      "an empty password",
      registry({ server: "localhost:5001", username: "ci", password: "" }),
      "slipway:platform.registry.password: must not be empty.",
    ],
    [
      "a misspelt password",
      registry({ server: "localhost:5001", pasword: "hunter2" }),
      `slipway:platform.registry.pasword: is not a known key. ${seeSchema}`,
    ],
    [
      "a password in the place of the registry",
      registry("hunter2"),
      "slipway:platform.registry: must be a map.",
    ],
    [
      "a password in the registry's URL",
      registry({ server: "https://ci:hunter2@registry.example" }),
      `slipway:platform.registry.server = "https://…@registry.example": ${host}`,
    ],
  ])("%s", (_, raw, message) => {
    expect(messageOf(raw)).toBe(message);
  });
});

describe("quantities compare by what they stand for", () => {
  test.each([
    ["300m", "0.3"],
    ["1500m", "1.5"],
    ["1.5Gi", "1536Mi"],
    ["1Ki", "1024"],
    ["1k", "1000"],
    ["1e3", "1k"],
    ["1E3", "1k"],
    ["1E", "1000P"],
  ])("%s equals %s", (a, b) => {
    expect(compareQuantities(a, b)).toBe(0);
  });

  test.each([
    ["249m", "250m"],
    ["999m", "1"],
    ["1M", "1Mi"],
    ["1023Mi", "1Gi"],
    ["0.5Gi", "513Mi"],
  ])("%s is less than %s", (a, b) => {
    expect(compareQuantities(a, b)).toBeLessThan(0);
    expect(compareQuantities(b, a)).toBeGreaterThan(0);
  });
});

describe("defaults", () => {
  test("a platform is all that a stack must name", () => {
    expect(parseStackConfig({ platform: { kind: "local" } }, context)).toEqual({
      platform: { kind: "local", address: "127.0.0.1" },
      ephemeral: { days: 3, quota: { cpu: "2", memory: "2Gi", pods: 10 } },
      namespace: "dev",
      deployers: [],
      images: { source: "build" },
      workloads: {
        api: { env: {}, rolloutDeadlineSeconds: 120 },
        frontend: { env: {}, rolloutDeadlineSeconds: 120 },
      },
      exposure: { api: { type: "ClusterIP" }, frontend: { type: "ClusterIP" } },
      delivery: { kind: "push", handover: false, atomic: false },
      observability: {},
      rollouts: {},
      database: {
        kind: "inCluster",
        storage: "1Gi",
        keepVolume: true,
        credentials: 1,
        resources: { requests: { cpu: "50m", memory: "128Mi" }, limits: { memory: "512Mi" } },
      },
      secrets: { api: {}, frontend: {} },
    });
  });

  test("a load balancer answers at port 80, from outside", () => {
    const { exposure } = parseStackConfig(exposed({ type: "LoadBalancer" }), context);
    expect(exposure.api).toEqual({ type: "LoadBalancer", port: 80, internal: false });
  });

  test("an autoscaler aims for 70 %", () => {
    const { workloads } = parseStackConfig(
      override({ autoscaling: { minReplicas: 2, maxReplicas: 4 } }),
      context,
    );
    expect(workloads.api?.autoscaling).toEqual({ minReplicas: 2, maxReplicas: 4, targetCPUUtilization: 70 });
  });

  test("falsy values are values: 0 replicas, an empty variable", () => {
    const { workloads } = parseStackConfig(override({ replicas: 0, env: { EMPTY: "" } }), context);
    expect(workloads.api).toMatchObject({ replicas: 0, env: { EMPTY: "" } });
  });
});

describe("for any configuration", () => {
  test("a valid one is accepted, keeps every value given, and is stable when parsed again", () => {
    fc.assert(
      fc.property(stackConfiguration, (raw) => {
        const before = structuredClone(raw);
        const parsed = parseStackConfig(raw, context);
        expect(parsed).toMatchObject(raw);
        expect(parseStackConfig(parsed, context)).toEqual(parsed);
        expect(raw).toEqual(before);
      }),
    );
  });

  test("an unknown key, wherever it is, is refused with its path", () => {
    fc.assert(
      fc.property(stackConfiguration, fc.nat(), (raw, pick) => {
        const config = structuredClone(raw) as Record<string, unknown>;
        const maps = mapsIn(config);
        const [path, map] = maps[pick % maps.length] as [string, Record<string, unknown>];
        map["un-known"] = "x";
        expect(messageOf(config)).toContain(`slipway:${path}un-known: is not a `);
      }),
    );
  });

  test("no secret appears in what is said of a wrong one", () => {
    const secret = fc.string({ minLength: 6 }).map((tail) => `s3cr3t-${tail}`);
    fc.assert(
      fc.property(stackConfiguration, secret, (raw, value) => {
        const wrong = {
          ...raw,
          typo: 1,
          secrets: { api: { OK: value, "not ok": value, LIST: [value] }, frontend: value },
        };
        expect(messageOf(wrong)).not.toContain("s3cr3t");
      }),
    );
  });
});

/** Every map in a configuration whose keys are fixed, with its path. */
function mapsIn(value: unknown, path = ""): [path: string, map: Record<string, unknown>][] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [];
  const free = /^(secrets\.\w+|workloads\.\w+\.env)\.$/.test(path);
  const inner = Object.entries(value).flatMap(([key, nested]) => mapsIn(nested, `${path}${key}.`));
  return free ? inner : [[path, value as Record<string, unknown>], ...inner];
}

describe("Pulumi's configuration", () => {
  async function load(config: Record<string, string>) {
    pulumi.runtime.setAllConfig(config);
    await pulumi.runtime.setMocks(
      { newResource: () => ({ id: "", state: {} }), call: () => ({}) },
      "shop",
      "dev",
    );
    return loadStack([...workloadNames]);
  }

  test("is read from the slipway: keys alone, whatever the project's name", async () => {
    const { project, name, config } = await load({
      "slipway:platform": '{"kind":"local"}',
      "slipway:namespace": "1",
      "shop:other": "x",
      "azure-native:location": "westeurope",
    });
    expect({ project, name, namespace: config.namespace }).toEqual({
      project: "shop",
      name: "dev",
      namespace: "1",
    });
  });

  test("names the stack's file with every problem", async () => {
    await expect(
      load({ "slipway:platform": '{"kind":"local"}', "slipway:typo": "x", "slipway:namespace": "A" }),
    ).rejects.toThrow(
      new InputError([
        { key: "Pulumi.dev.yaml: slipway:namespace", value: "A", rule: dnsLabel.slice(0, -1) },
        { key: "Pulumi.dev.yaml: slipway:typo", rule: "is not a known key", hint: seeSchema.slice(0, -1) },
      ]),
    );
  });

  test("a date or time that is not quoted is what the file says, not how Go prints it", async () => {
    const { config } = await load({
      "slipway:platform": JSON.stringify({
        kind: "azure",
        location: "westeurope",
        cluster: { kubernetesVersion: "1.34" },
        registry: { pull: { kind: "token", expiry: "2100-01-01 00:00:00 +0000 UTC" } },
      }),
      "slipway:expires": "2100-01-01 07:30:00.5 +0000 UTC",
    });
    expect(config).toMatchObject({
      expires: "2100-01-01T07:30:00.5Z",
      platform: { registry: { pull: { expiry: "2100-01-01" } } },
    });
  });

  test("a value that is not the JSON it looks like is refused without being quoted", async () => {
    await expect(load({ "slipway:platform": '{"registry":{"password":"hunter2"' })).rejects.toThrow(
      /^Pulumi\.dev\.yaml: slipway:platform: must be JSON where it begins with \{ or \[\. Set parts of it by: pulumi config set --path\.$/,
    );
  });

  test("bad input is a RunError, which Pulumi prints without a stack trace", () => {
    expect(pulumi.RunError.isInstance(new InputError({ key: "a", rule: "must be b" }))).toBe(true);
  });
});
