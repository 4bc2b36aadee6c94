import { describe, expect, test } from "vitest";
import { InputError } from "../../infra/config/error.ts";
import type { StrategyInput } from "../../infra/config/strategy.ts";
import { PushedWorkload } from "../../infra/delivery/push.ts";
import { renderStack } from "../../infra/delivery/render.ts";
import { application, appProject } from "../../infra/gitops/argocd/application.ts";
import { houseRules } from "../../infra/policy/rules.ts";
import type { Workload } from "../../infra/workloads/definition.ts";
import { recordRegistrations, register } from "../support/registrations.ts";
import { find, minimal, objectsOf } from "../support/release.ts";

const canary: StrategyInput = {
  kind: "canary",
  steps: [{ weight: 25 }, { pause: 30 }, { analysis: true }, { weight: 50 }, { pause: "promotion" }],
  analysis: { kind: "web", path: "/readyz" },
};
const blueGreen: StrategyInput = {
  kind: "blueGreen",
  autoPromote: false,
  analysis: { kind: "job", command: ["node", "dist/probe.js"], count: 1, failureLimit: 0 },
};

/** The objects of a workload with limits, as the house rules want them. */
const of = (strategy: StrategyInput, workload: Partial<Workload> = {}, config = {}) =>
  objectsOf(
    { strategy, resources: { ...minimal.resources, limits: { memory: "128Mi" } }, ...workload },
    config,
  );

describe("a canary", () => {
  const rollout = find(of(canary), "Rollout");

  test("goes through its steps, with no pod less than before", () => {
    expect(rollout.spec.strategy).toEqual({
      canary: {
        maxUnavailable: 0,
        maxSurge: 1,
        canaryService: "api-canary",
        steps: [
          { setWeight: 25 },
          { pause: { duration: "30s" } },
          {
            analysis: {
              templates: [{ templateName: "api-analysis" }],
              args: [{ name: "namespace", valueFrom: { fieldRef: { fieldPath: "metadata.namespace" } } }],
            },
          },
          { setWeight: 50 },
          { pause: {} },
        ],
      },
    });
  });

  test("asks the new pods alone, and none of three answers may be wrong", () => {
    const { spec } = find(of(canary), "AnalysisTemplate");
    expect(spec.metrics).toEqual([
      {
        name: "web",
        interval: "5s",
        count: 3,
        failureLimit: 0,
        consecutiveErrorLimit: 0,
        provider: {
          web: { url: "http://api-canary.{{args.namespace}}.svc:8080/readyz", timeoutSeconds: 5 },
        },
      },
    ]);
  });

  test("may be measured by a value of a JSON answer", () => {
    const analysis = { kind: "web", path: "/stats", jsonPath: "{$.errors}", success: "result < 5" } as const;
    const { spec } = find(of({ ...canary, analysis }), "AnalysisTemplate");
    expect(spec.metrics[0]).toMatchObject({
      successCondition: "result < 5",
      provider: { web: { jsonPath: "{$.errors}" } },
    });
  });
});

describe("blue-green", () => {
  const objects = of(blueGreen);

  test("has a Service for the old pods and one for the new ones, and waits for its promotion", () => {
    expect(find(objects, "Rollout").spec.strategy).toMatchObject({
      blueGreen: {
        activeService: "api",
        previewService: "api-preview",
        autoPromotionEnabled: false,
        scaleDownDelaySeconds: 30,
        prePromotionAnalysis: { templates: [{ templateName: "api-analysis" }] },
      },
    });
    const services = objects.filter(({ kind }) => kind === "Service");
    expect(services.map(({ metadata }) => metadata.name)).toEqual(["api", "api-preview"]);
  });

  test("runs a command of the new image, restricted as the workload itself, that its Service does not find", () => {
    const { spec } = find(objects, "AnalysisTemplate");
    const pod = (spec.metrics[0] as unknown as { provider: { job: { spec: { template: never } } } }).provider
      .job.spec.template;
    expect(pod).toMatchObject({
      metadata: { labels: { "app.kubernetes.io/name": "api-analysis" } },
      spec: {
        automountServiceAccountToken: false,
        restartPolicy: "Never",
        securityContext: { runAsNonRoot: true },
        containers: [
          {
            command: ["node", "dist/probe.js"],
            image: find(objects, "Rollout").spec.template.spec.containers[0]?.image,
          },
        ],
      },
    });
  });
});

test.each([
  ["canary", canary],
  ["blueGreen", blueGreen],
] as const)("%s runs the very pods of a Deployment, and no Deployment", (_, strategy) => {
  const objects = of(strategy);
  expect(objects.map(({ kind }) => kind)).not.toContain("Deployment");
  const { template, ...rollout } = find(objects, "Rollout").spec;
  const { template: rolling, ...deployment } = find(of({ kind: "rolling" }), "Deployment").spec;
  const text = JSON.stringify(template).replaceAll("rollouts-pod-template-hash", "pod-template-hash");
  expect(JSON.parse(text)).toEqual(rolling);
  expect({ ...rollout, strategy: undefined }).toEqual({ ...deployment, strategy: undefined });
});

test("no release changes a Service whose selector has a revision in it", () => {
  const services = (strategy: StrategyInput) =>
    of(strategy)
      .filter(({ kind }) => kind === "Service")
      .map(({ metadata }) => [metadata.name, "app.kubernetes.io/version" in metadata.labels]);
  expect(services(blueGreen)).toEqual([
    ["api", false],
    ["api-preview", false],
  ]);
  // The canary's own Service alone: all pods are behind the other one.
  expect(services(canary)).toEqual([
    ["api", true],
    ["api-canary", false],
  ]);
});

test("an autoscaler scales the Rollout", () => {
  const workloads = { api: { autoscaling: { minReplicas: 2, maxReplicas: 4 } } };
  const objects = of(canary, {}, { workloads });
  expect(find(objects, "HorizontalPodAutoscaler").spec.scaleTargetRef).toEqual({
    apiVersion: "argoproj.io/v1alpha1",
    kind: "Rollout",
    name: "api",
  });
  expect(find(objects, "Rollout").spec).not.toHaveProperty("replicas");
});

test("who carries out the analysis may connect, and nobody else", () => {
  const ingress = (strategy: StrategyInput) => find(of(strategy), "NetworkPolicy").spec.ingress;
  expect(ingress({ kind: "rolling" })).toEqual([]);
  expect(ingress(canary)).toEqual([
    {
      from: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "argo-rollouts" } } }],
      ports: [{ protocol: "TCP", port: 8080 }],
    },
  ]);
  const { spec } = find(of(blueGreen), "NetworkPolicy");
  expect(JSON.stringify(spec.ingress)).toContain("api-analysis");
  expect(JSON.stringify(spec.podSelector)).toContain("api-analysis");
});

test("a stack's own strategy takes the place of the definition's", () => {
  const workloads = { api: { strategy: { kind: "rolling" } } };
  expect(of(canary, {}, { workloads }).map(({ kind }) => kind)).toContain("Deployment");
});

test("each of two Services has a file and a resource of its own", async () => {
  const objects = of(canary);
  const files = renderStack({
    project: "shop",
    stack: "dev",
    namespace: "team",
    workloads: [["api", objects as never]],
    secrets: [],
  });
  const paths = [...files].map(({ path }) => path);
  expect(paths).toEqual(expect.arrayContaining(["dev/api/service.yaml", "dev/api/service-2.yaml"]));
  expect(new Set(paths).size).toBe(paths.length);
  const run = () => register(() => new PushedWorkload("api", { objects }));
  const { result, registrations } = await recordRegistrations(run);
  expect(registrations.map(({ name }) => name)).toEqual(
    expect.arrayContaining(["api-service", "api-service-2", "api-analysis", "api-rollout"]),
  );
  expect(registrations.find(({ name }) => name === "api-rollout")?.dependsOn).toContain("api-analysis");
  expect(await new Promise((resolve) => result.service.metadata.name.apply(resolve))).toBe("api");
  expect(await new Promise((resolve) => result.pods.apply(resolve))).toMatchObject({
    kind: "Rollout",
    name: "api",
  });
});

test("the pods of a Rollout keep the house rules", () => {
  const type = "kubernetes:argoproj.io/v1alpha1:Rollout";
  const good = { type, props: find(of(canary), "Rollout") };
  const bad = structuredClone(good) as unknown as { type: string; props: { spec: { template: never } } };
  (bad.props.spec.template as { spec: { containers: { image: string }[] } }).spec.containers[0] = {
    image: "nginx:latest",
  };
  const broken = (resource: typeof good) =>
    houseRules.flatMap(({ violations }) => violations(resource)).length;
  expect(broken(good)).toBe(0);
  expect(broken(bad as never)).toBeGreaterThan(2);
});

test("Argo CD may have Rollouts, and leaves what Argo Rollouts writes into Services", () => {
  const args = {
    namespace: "team",
    labels: {},
    url: "ssh://git.example/manifests",
    branch: "main",
    folder: "dev",
    syncWindows: [],
    migrates: false,
  };
  const { spec } = application({ ...args });
  expect(spec.ignoreDifferences).toEqual([
    { group: "", kind: "Service", jsonPointers: ["/spec/selector/rollouts-pod-template-hash"] },
  ]);
  expect(spec.syncPolicy.syncOptions).toContain("RespectIgnoreDifferences=true");
  expect(appProject(args).spec.namespaceResourceWhitelist).toContainEqual({
    group: "argoproj.io",
    kind: "Rollout",
  });
});

test.each([
  [{ kind: "canary", steps: [] }, "strategy.steps", "must have a step"],
  [{ kind: "canary", steps: [{ weight: 101 }] }, "strategy.steps", "must be a percentage from 1 to 100"],
  [{ kind: "canary", steps: [{ weight: 5, pause: 3 }] }, "strategy.steps", "must be one of { weight: 25 }"],
  [
    { kind: "canary", steps: [{ weight: 5 }, { analysis: true }] },
    "strategy.steps",
    "asks for an analysis, and the strategy has none",
  ],
  [
    { kind: "canary", steps: [{ analysis: true }], analysis: { kind: "web", path: "/readyz" } },
    "strategy.steps",
    "comes before any pod is new",
  ],
  [
    { kind: "canary", steps: [{ weight: 5 }], analysis: { kind: "web", path: "/readyz" } },
    "strategy.analysis",
    "is asked for by no step",
  ],
  [
    { kind: "blueGreen", analysis: { kind: "web", path: "readyz" } },
    "strategy.analysis.path",
    "must be an absolute path",
  ],
  [{ kind: "blueGreen", analysis: { kind: "job", command: [] } }, "strategy.analysis.command", "must name"],
  [{ kind: "recreate" }, "strategy.kind", ""],
])("%j is refused at %s", (strategy, key, rule) => {
  const config = { workloads: { api: { strategy } } };
  let message = "";
  try {
    objectsOf({}, config);
  } catch (error) {
    expect(error).toBeInstanceOf(InputError);
    message = (error as Error).message;
  }
  expect(message).toContain(`slipway:workloads.api.${key}`);
  expect(message).toContain(rule);
});
