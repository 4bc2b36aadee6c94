import * as pulumi from "@pulumi/pulumi";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { imageRepository } from "../../infra/config/primitives.ts";
import { buildWorkload, type WorkloadObject } from "../../infra/workloads/build.ts";
import { type ConfigValue, urlOf, type Workload } from "../../infra/workloads/definition.ts";
import { definition, stackConfiguration } from "../support/arbitrary.ts";
import { type Config, find, image, minimal, objectsOf, release, resolved } from "../support/release.ts";

const pod = (objects: readonly WorkloadObject[]) => find(objects, "Deployment").spec.template;
const container = (objects: readonly WorkloadObject[]) => {
  const [only] = pod(objects).spec.containers;
  if (only === undefined) throw new Error("the pod has no container");
  return only;
};
const kindsOf = (objects: readonly WorkloadObject[]) => objects.map(({ kind }) => kind);
const exposed = (api: unknown): Config => ({ exposure: { api } });
const override = (api: unknown): Config => ({ workloads: { api } });
const selector = { "app.kubernetes.io/name": "api", "app.kubernetes.io/instance": "dev" };

test("a workload is these objects, and what a pod needs comes before the Deployment", () => {
  expect(kindsOf(objectsOf())).toEqual([
    "ServiceAccount",
    "NetworkPolicy",
    "Service",
    "PodDisruptionBudget",
    "Deployment",
  ]);
  expect(
    kindsOf(
      objectsOf(
        { config: { mountPath: "/config", files: {} }, secretEnv: ["TOKEN"] },
        {
          secrets: { api: { TOKEN: "x" } },
          ...override({ autoscaling: { minReplicas: 1, maxReplicas: 2 } }),
        },
      ),
    ),
  ).toEqual([
    "ServiceAccount",
    "ConfigMap",
    "Secret",
    "NetworkPolicy",
    "Service",
    "PodDisruptionBudget",
    "Deployment",
    "HorizontalPodAutoscaler",
  ]);
});

describe("labels", () => {
  const recommended = {
    ...selector,
    "app.kubernetes.io/part-of": "shop",
    "app.kubernetes.io/managed-by": "slipway",
    "app.kubernetes.io/version": "4711",
  };

  test("every object and pod carries the recommended ones, with the build number as version", () => {
    const objects = objectsOf();
    for (const { metadata } of objects) expect(metadata.labels).toEqual(recommended);
    expect(pod(objects).metadata.labels).toEqual(recommended);
  });

  test("what selects pods never changes with the version: a Deployment's selector is immutable", () => {
    const application = { api: minimal };
    const next = buildWorkload(release({ application, image: { ...image, version: "4712" } }));
    for (const objects of [objectsOf(), next]) {
      expect(find(objects, "Deployment").spec.selector).toEqual({ matchLabels: selector });
      expect(find(objects, "Service").spec.selector).toEqual(selector);
      expect(find(objects, "PodDisruptionBudget").spec.selector).toEqual({ matchLabels: selector });
      expect(find(objects, "NetworkPolicy").spec.podSelector).toEqual({ matchLabels: selector });
    }
    expect(pod(next).metadata.labels["app.kubernetes.io/version"]).toBe("4712");
  });
});

describe("the image", () => {
  test("is run as its digest", () => {
    expect(container(objectsOf()).image).toBe(`registry.example/shop/api@sha256:${"a".repeat(64)}`);
  });

  test("may be known only later, and is then passed on as it is", () => {
    const reference = pulumi.output("later");
    const objects = buildWorkload(release({ application: { api: minimal }, image: { ...image, reference } }));
    expect(container(objects).image).toBe(reference);
  });

  test("tells its build number to the container", () => {
    expect(container(objectsOf()).env).toContainEqual({ name: "BUILD_NUMBER", value: "4711" });
  });

  test.each([
    [
      "by the pull secret where the stack has one",
      { pullSecret: "registry-pull" },
      [{ name: "registry-pull" }],
    ],
    ["without one where the nodes may pull themselves", {}, undefined],
  ])("is pulled %s", (_, surroundings, imagePullSecrets) => {
    expect(pod(objectsOf({}, {}, surroundings)).spec).toEqual(
      expect.objectContaining(imagePullSecrets === undefined ? {} : { imagePullSecrets }),
    );
    expect("imagePullSecrets" in pod(objectsOf({}, {}, surroundings)).spec).toBe(
      imagePullSecrets !== undefined,
    );
  });
});

describe("replicas", () => {
  test.each<[rule: string, workload: Partial<Workload>, config: Config, replicas: number]>([
    ["are two by default", {}, {}, 2],
    ["are the definition's", { replicas: 3 }, {}, 3],
    ["are the stack's before the definition's", { replicas: 3 }, override({ replicas: 4 }), 4],
    ["may be 0", { replicas: 3 }, override({ replicas: 0 }), 0],
  ])("%s", (_, workload, config, replicas) => {
    expect(find(objectsOf(workload, config), "Deployment").spec).toHaveProperty("replicas", replicas);
  });

  test("belong to the autoscaler alone where there is one", () => {
    const objects = objectsOf(
      { replicas: 3 },
      override({ autoscaling: { minReplicas: 2, maxReplicas: 5, targetCPUUtilization: 60 } }),
    );
    expect(find(objects, "Deployment").spec).not.toHaveProperty("replicas");
    expect(find(objects, "HorizontalPodAutoscaler").spec).toEqual({
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "api" },
      minReplicas: 2,
      maxReplicas: 5,
      metrics: [
        {
          type: "Resource",
          resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 60 } },
        },
      ],
    });
  });
});

describe("the Service", () => {
  const ports = { http: 8080, metrics: 9090 };

  test("takes its ports from the workload, by name", () => {
    expect(find(objectsOf({ ports }), "Service").spec).toEqual({
      type: "ClusterIP",
      selector,
      ports: [
        { name: "http", port: 8080, targetPort: "http", protocol: "TCP" },
        { name: "metrics", port: 9090, targetPort: "metrics", protocol: "TCP" },
      ],
    });
  });

  test.each<[rule: string, exposure: unknown, spec: unknown]>([
    [
      "NodePort: at the stack's port",
      { type: "NodePort", nodePort: 30081 },
      {
        type: "NodePort",
        selector,
        ports: [{ name: "http", port: 8080, targetPort: "http", protocol: "TCP", nodePort: 30081 }],
      },
    ],
    [
      "NodePort: at one that the cluster picks",
      { type: "NodePort" },
      {
        type: "NodePort",
        selector,
        ports: [{ name: "http", port: 8080, targetPort: "http", protocol: "TCP" }],
      },
    ],
    [
      "LoadBalancer: at the stack's port, for everyone",
      { type: "LoadBalancer", port: 443 },
      {
        type: "LoadBalancer",
        selector,
        ports: [{ name: "http", port: 443, targetPort: "http", protocol: "TCP" }],
      },
    ],
    [
      "LoadBalancer: for the sources named only",
      { type: "LoadBalancer", allowedSources: ["203.0.113.0/24"] },
      {
        type: "LoadBalancer",
        selector,
        ports: [{ name: "http", port: 80, targetPort: "http", protocol: "TCP" }],
        loadBalancerSourceRanges: ["203.0.113.0/24"],
      },
    ],
  ])("exposes the first port alone. %s", (_, exposure, spec) => {
    const service = find(objectsOf({ ports }, exposed(exposure)), "Service");
    expect(service.spec).toEqual(spec);
    expect(service.metadata).not.toHaveProperty("annotations");
  });

  test("asks Azure for an internal load balancer where the stack does", () => {
    const { metadata } = find(objectsOf({}, exposed({ type: "LoadBalancer", internal: true })), "Service");
    expect(metadata).toHaveProperty("annotations", {
      "service.beta.kubernetes.io/azure-load-balancer-internal": "true",
    });
  });
});

describe("a configuration file", () => {
  const files = (content: ConfigValue) => ({
    config: { mountPath: "/config", files: { "config.json": content } },
  });

  test("is mounted read-only from a ConfigMap that never changes", () => {
    const objects = objectsOf(files({ apiUrl: "x" }));
    const configMap = find(objects, "ConfigMap");
    expect(configMap.immutable).toBe(true);
    expect(configMap.data).toEqual({ "config.json": '{\n  "apiUrl": "x"\n}\n' });
    expect(pod(objects).spec).toHaveProperty("volumes", [
      { name: "config", configMap: { name: configMap.metadata.name } },
    ]);
    expect(container(objects)).toHaveProperty("volumeMounts", [
      { name: "config", mountPath: "/config", readOnly: true },
    ]);
  });

  test.each<[rule: string, content: ConfigValue, text: string]>([
    ["text stays as it is", "a: b", "a: b"],
    ["0 is written", 0, "0\n"],
    ["false is written", false, "false\n"],
    ["null is written", null, "null\n"],
    ["empty text is written", "", ""],
  ])("holds any content: %s", (_, content, text) => {
    expect(find(objectsOf(files(content)), "ConfigMap").data).toEqual({ "config.json": text });
  });

  test("rolls the pods when its content changes, and only then: the ConfigMap's name is made of it", () => {
    const nameOf = (workload: Partial<Workload>, config?: Config) =>
      find(objectsOf(workload, config), "ConfigMap").metadata.name;
    const name = nameOf(files({ a: 1 }));
    expect(name).toMatch(/^api-config-[0-9a-f]{10}$/);
    expect(nameOf(files({ a: 1 }), override({ replicas: 7, env: { A: "b" } }))).toBe(name);
    expect(nameOf({ config: { mountPath: "/elsewhere", files: { "config.json": { a: 1 } } } })).toBe(name);
    expect(nameOf(files({ a: 2 }))).not.toBe(name);
    expect(nameOf({ config: { mountPath: "/config", files: { "other.json": { a: 1 } } } })).not.toBe(name);
  });

  test("has other workloads' addresses filled in, wherever they stand", () => {
    expect(find(objectsOf(files({ deep: [{ url: urlOf("api") }] })), "ConfigMap").data).toEqual({
      "config.json": '{\n  "deep": [\n    {\n      "url": "http://api.example"\n    }\n  ]\n}\n',
    });
  });

  test("with an address that is known only later is named by what it becomes", async () => {
    const later = objectsOf(
      files({ url: urlOf("api") }),
      {},
      { addresses: { api: pulumi.output("http://api.example") } },
    );
    const known = objectsOf(files({ url: urlOf("api") }));
    expect(await resolved(find(later, "ConfigMap"))).toEqual(find(known, "ConfigMap"));
    expect(await resolved(find(later, "Deployment"))).toEqual(find(known, "Deployment"));
  });
});

describe("an environment variable", () => {
  test("of the stack replaces the definition's, and either rolls the pods", () => {
    const env = container(objectsOf({ env: { A: "1", B: "2" } }, override({ env: { B: "3", C: "4" } }))).env;
    expect(env.slice(2)).toEqual([
      { name: "A", value: "1" },
      { name: "B", value: "3" },
      { name: "C", value: "4" },
    ]);
  });

  test("may be another workload's address", () => {
    expect(container(objectsOf({ env: { URL: urlOf("api") } })).env).toContainEqual({
      name: "URL",
      value: "http://api.example",
    });
  });

  test("may be empty", () => {
    expect(container(objectsOf({ env: { EMPTY: "" } })).env).toContainEqual({ name: "EMPTY", value: "" });
  });

  test("tells the pod its own name", () => {
    expect(container(objectsOf()).env[1]).toMatchObject({
      name: "POD_NAME",
      valueFrom: { fieldRef: { fieldPath: "metadata.name" } },
    });
  });
});

describe("a secret environment variable", () => {
  const objects = (value: string) =>
    objectsOf({ secretEnv: ["TOKEN"] }, { secrets: { api: { TOKEN: value } } });

  test("is in a Secret, which the container refers to by name", () => {
    const built = objects("hunter2");
    const secret = find(built, "Secret");
    expect(secret).toMatchObject({
      immutable: true,
      type: "Opaque",
      data: { TOKEN: Buffer.from("hunter2").toString("base64") },
    });
    expect(container(built).env).toContainEqual({
      name: "TOKEN",
      valueFrom: { secretKeyRef: { name: secret.metadata.name, key: "TOKEN" } },
    });
  });

  test("is nowhere but in the Secret", () => {
    const others = objects("hunter2").filter(({ kind }) => kind !== "Secret");
    expect(JSON.stringify(others)).not.toMatch(
      new RegExp(`hunter2|${Buffer.from("hunter2").toString("base64")}`),
    );
  });

  test("rolls the pods when it changes, and only then", () => {
    const nameOf = (value: string) => find(objects(value), "Secret").metadata.name;
    expect(nameOf("hunter2")).toMatch(/^api-secret-[0-9a-f]{10}$/);
    expect(nameOf("hunter2")).toBe(nameOf("hunter2"));
    expect(nameOf("hunter3")).not.toBe(nameOf("hunter2"));
  });
});

describe("resources", () => {
  test("of the stack replace the definition's one by one", () => {
    const resources = { requests: { cpu: "50m", memory: "64Mi" }, limits: { memory: "128Mi" } };
    const config = override({ resources: { requests: { cpu: "100m" }, limits: { cpu: "1" } } });
    expect(container(objectsOf({ resources }, config)).resources).toEqual({
      requests: { cpu: "100m", memory: "64Mi" },
      limits: { memory: "128Mi", cpu: "1" },
    });
  });
});

describe("the NetworkPolicy", () => {
  const application = {
    api: { ...minimal, ports: { http: 8080, metrics: 9090 } },
    frontend: { ...minimal, connectsTo: ["api"] },
    worker: { ...minimal },
  };
  const policy = (name: string, config: Config = {}) =>
    find(buildWorkload(release({ application, name, config })), "NetworkPolicy").spec;
  const dns = {
    to: [
      {
        namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "kube-system" } },
        podSelector: { matchLabels: { "k8s-app": "kube-dns" } },
      },
    ],
    ports: [
      { protocol: "UDP", port: 53 },
      { protocol: "TCP", port: 53 },
    ],
  };
  const podsOf = (name: string) => ({
    podSelector: { matchLabels: { "app.kubernetes.io/name": name, "app.kubernetes.io/instance": "dev" } },
  });

  test("lets nobody in and nothing out but name lookups by default", () => {
    expect(policy("worker")).toMatchObject({
      policyTypes: ["Ingress", "Egress"],
      ingress: [],
      egress: [dns],
    });
  });

  test("opens both ends of connectsTo", () => {
    const ports = [
      { protocol: "TCP", port: 8080 },
      { protocol: "TCP", port: 9090 },
    ];
    expect(policy("api").ingress).toEqual([{ from: [podsOf("frontend")], ports }]);
    expect(policy("api").egress).toEqual([dns]);
    expect(policy("frontend").egress).toEqual([dns, { to: [podsOf("api")], ports }]);
    expect(policy("frontend").ingress).toEqual([]);
  });

  test.each([{ type: "NodePort" }, { type: "LoadBalancer" }])(
    "opens the first port of an exposed workload to all: $type",
    (exposure) => {
      expect(policy("api", exposed(exposure)).ingress[0]).toEqual({
        ports: [{ protocol: "TCP", port: 8080 }],
      });
    },
  );

  test("lets the workload out to the destinations it names", () => {
    expect(
      find(objectsOf({ egress: [{ cidr: "10.1.0.0/16", port: 5432 }] }), "NetworkPolicy").spec.egress,
    ).toEqual([
      dns,
      { to: [{ ipBlock: { cidr: "10.1.0.0/16" } }], ports: [{ protocol: "TCP", port: 5432 }] },
    ]);
  });
});

describe("protections are on", () => {
  test("the pod meets Pod Security restricted", () => {
    expect(pod(objectsOf()).spec.securityContext).toEqual({
      runAsNonRoot: true,
      seccompProfile: { type: "RuntimeDefault" },
    });
    expect(container(objectsOf()).securityContext).toEqual({
      allowPrivilegeEscalation: false,
      capabilities: { drop: ["ALL"] },
      readOnlyRootFilesystem: true,
    });
  });

  test("no service account token is mounted, and the account is the workload's own", () => {
    const objects = objectsOf();
    expect(find(objects, "ServiceAccount").automountServiceAccountToken).toBe(false);
    expect(pod(objects).spec).toMatchObject({
      serviceAccountName: "api",
      automountServiceAccountToken: false,
    });
  });

  test("one pod at a time may be evicted, and one that is not ready always", () => {
    expect(find(objectsOf(), "PodDisruptionBudget").spec).toMatchObject({
      maxUnavailable: 1,
      unhealthyPodEvictionPolicy: "AlwaysAllow",
    });
  });
});

describe("each protection is turned off by its name, and no other with it", () => {
  const built = (exemptions: NonNullable<Workload["exemptions"]>) => {
    const objects = objectsOf({ exemptions });
    return {
      token: pod(objects).spec.automountServiceAccountToken,
      accountToken: find(objects, "ServiceAccount").automountServiceAccountToken,
      readOnly: container(objects).securityContext.readOnlyRootFilesystem,
      policy: kindsOf(objects).includes("NetworkPolicy"),
      budget: kindsOf(objects).includes("PodDisruptionBudget"),
    };
  };
  const all = { token: false, accountToken: false, readOnly: true, policy: true, budget: true };

  test.each([
    ["serviceAccountToken", { ...all, token: true, accountToken: true }],
    ["writableRootFilesystem", { ...all, readOnly: false }],
    ["noNetworkPolicy", { ...all, policy: false }],
    ["noDisruptionBudget", { ...all, budget: false }],
  ])("%s", (name, expected) => {
    expect(built({ [name]: true })).toEqual(expected);
  });

  test("none is by default", () => {
    expect(built({})).toEqual(all);
  });
});

test("a writable path is an empty directory", () => {
  const objects = objectsOf({ writablePaths: ["/tmp", "/var/cache"] });
  expect(pod(objects).spec).toHaveProperty("volumes", [
    { name: "writable-0", emptyDir: {} },
    { name: "writable-1", emptyDir: {} },
  ]);
  expect(container(objects)).toHaveProperty("volumeMounts", [
    { name: "writable-0", mountPath: "/tmp" },
    { name: "writable-1", mountPath: "/var/cache" },
  ]);
});

describe("a rollout", () => {
  test("keeps every old pod until a new one is ready", () => {
    expect(find(objectsOf(), "Deployment").spec.strategy).toEqual({
      type: "RollingUpdate",
      rollingUpdate: { maxUnavailable: 0, maxSurge: 1 },
    });
  });

  test.each([
    [{}, 120],
    [override({ rolloutDeadlineSeconds: 30 }), 30],
  ])("fails after the stack's deadline: %j", (config, seconds) => {
    expect(find(objectsOf({}, config), "Deployment").spec.progressDeadlineSeconds).toBe(seconds);
  });

  test("asks the checks that the workload names", () => {
    const { startupProbe, readinessProbe, livenessProbe } = container(
      objectsOf({
        ports: { http: 8080, admin: 9000 },
        readiness: { path: "/ready", port: "http" },
        liveness: { path: "/alive", port: "admin" },
      }),
    );
    expect(startupProbe.httpGet).toEqual({ path: "/ready", port: "http" });
    expect(readinessProbe.httpGet).toEqual({ path: "/ready", port: "http" });
    expect(livenessProbe.httpGet).toEqual({ path: "/alive", port: "admin" });
  });

  test.each([
    [undefined, 20],
    [0, 0],
    [45, 45],
  ])(
    "leaves requests in flight their time after the pod has left the Service: drainSeconds %s",
    (drainSeconds, left) => {
      const objects = objectsOf(drainSeconds === undefined ? {} : { drainSeconds });
      const pause = container(objects).lifecycle.preStop.sleep.seconds;
      expect(pause).toBeGreaterThan(0);
      expect(pod(objects).spec.terminationGracePeriodSeconds - pause).toBe(left);
    },
  );
});

describe("for any definition and configuration", () => {
  const names = ["api", "frontend"] as const;
  const application = fc
    .tuple(definition(["frontend"]), definition(["api"]))
    .map(([api, frontend]) => ({ api, frontend }) as { readonly [name in (typeof names)[number]]: Workload });
  /** Without secrets, whose names take long to compute on purpose. */
  const given = fc.record({
    application,
    config: stackConfiguration.map(({ secrets, ...config }) => config as Config),
  });
  const property = (check: (objects: WorkloadObject[], workload: Workload, name: string) => void) =>
    fc.assert(
      fc.property(given, fc.constantFrom(...names), (input, name) => {
        check(buildWorkload(release({ ...input, name })), input.application[name], name);
      }),
      { numRuns: 50 },
    );

  test("building twice gives the same objects, and leaves the input alone", () => {
    fc.assert(
      fc.property(given, (input) => {
        const before = structuredClone(input);
        expect(buildWorkload(release(input))).toEqual(buildWorkload(release(structuredClone(input))));
        expect(input).toEqual(before);
      }),
      { numRuns: 50 },
    );
  });

  test("plain input gives plain objects, which JSON can hold", () => {
    property((objects) => {
      expect(JSON.parse(JSON.stringify(objects))).toEqual(objects);
    });
  });

  test("every object has the recommended labels, the stack's namespace and a valid name of its own", () => {
    property((objects, _, name) => {
      for (const { metadata } of objects) {
        expect(Object.keys(metadata.labels).sort()).toEqual([
          "app.kubernetes.io/instance",
          "app.kubernetes.io/managed-by",
          "app.kubernetes.io/name",
          "app.kubernetes.io/part-of",
          "app.kubernetes.io/version",
        ]);
        expect(metadata.namespace).toBe("team");
        expect(metadata.name).toMatch(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/);
        expect(String(metadata.name).startsWith(name)).toBe(true);
      }
      expect(new Set(objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`)).size).toBe(
        objects.length,
      );
    });
  });

  test("there is exactly one object for each thing that is asked for", () => {
    property((objects, workload) => {
      const optional = [
        workload.config !== undefined,
        !workload.exemptions?.noNetworkPolicy,
        !workload.exemptions?.noDisruptionBudget,
        !("replicas" in find(objects, "Deployment").spec),
      ];
      expect(objects.length).toBe(3 + optional.filter(Boolean).length);
      expect(new Set(kindsOf(objects)).size).toBe(objects.length);
    });
  });

  test("every port that is referred to exists in the container", () => {
    property((objects) => {
      const { ports, startupProbe, readinessProbe, livenessProbe } = container(objects);
      const known = ports.map(({ name }) => name);
      for (const { httpGet } of [startupProbe, readinessProbe, livenessProbe])
        expect(known).toContain(httpGet.port);
      for (const { targetPort } of find(objects, "Service").spec.ports) expect(known).toContain(targetPort);
    });
  });

  test("every volume that is mounted exists, and every one that exists is mounted once", () => {
    property((objects) => {
      const spec = pod(objects).spec as { volumes?: { name: string }[] };
      const mounts = (container(objects) as { volumeMounts?: { name: string }[] }).volumeMounts;
      expect(mounts?.map(({ name }) => name)).toEqual(spec.volumes?.map(({ name }) => name));
    });
  });

  test("the Service finds the pods: its selector is among their labels", () => {
    property((objects) => {
      expect(pod(objects).metadata.labels).toMatchObject(find(objects, "Service").spec.selector);
    });
  });

  test("what api is let out to of frontend, frontend lets in from api, and the other way round", () => {
    fc.assert(
      fc.property(given, (input) => {
        const application = {
          api: { ...input.application.api, exemptions: {} },
          frontend: { ...input.application.frontend, exemptions: {} },
        };
        const policyOf = (name: string) =>
          find(buildWorkload(release({ ...input, application, name })), "NetworkPolicy");
        const [api, frontend] = [policyOf("api"), policyOf("frontend")];
        const peer = (name: string) => ({
          podSelector: {
            matchLabels: { "app.kubernetes.io/name": name, "app.kubernetes.io/instance": "dev" },
          },
        });
        const out = (from: typeof api, to: string) =>
          from.spec.egress
            .filter((rule) => JSON.stringify(rule.to) === JSON.stringify([peer(to)]))
            .map(({ ports }) => ports);
        const into = (to: typeof api, from: string) =>
          to.spec.ingress
            .filter((rule) => "from" in rule && JSON.stringify(rule.from) === JSON.stringify([peer(from)]))
            .map(({ ports }) => ports);
        expect(out(api, "frontend")).toEqual(into(frontend, "api"));
        expect(out(frontend, "api")).toEqual(into(api, "frontend"));
      }),
      { numRuns: 50 },
    );
  });
});

test("a workload's name is an image name: the DNS labels that name workloads all are", () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,20}[a-z0-9])?$/), (name) => {
      expect(imageRepository.safeParse(name).success).toBe(true);
    }),
  );
});
