import fc from "fast-check";

/** Names of the workloads in the generated configurations. */
export const workloadNames = ["api", "frontend"] as const;

const digits = "0123456789";
const lower = "abcdefghijklmnopqrstuvwxyz";

function text(characters: string, maxLength: number) {
  return fc.string({ unit: fc.constantFrom(...characters), minLength: 1, maxLength });
}

/** A DNS label of at most 20 characters. */
export const label = fc
  .tuple(
    fc.constantFrom(...lower),
    fc.string({ unit: fc.constantFrom(...`${lower}${digits}-`), maxLength: 18 }),
  )
  .map(([first, rest]) => `${first}${rest}0`);

export const environmentName = fc
  .tuple(fc.constantFrom(..."ABC_"), fc.string({ unit: fc.constantFrom(...`ABC_${digits}`), maxLength: 8 }))
  .map(([first, rest]) => `${first}${rest}`);

const environment = fc.dictionary(environmentName, fc.string(), { maxKeys: 3 });
const port = fc.integer({ min: 1, max: 65535 });

/** CPU and memory whose limits are never under their requests. */
const resources = fc.record(
  {
    requests: fc.record(
      {
        cpu: fc.integer({ min: 1, max: 500 }).map((n) => `${n}m`),
        memory: fc.integer({ min: 1, max: 512 }).map((n) => `${n}Mi`),
      },
      { requiredKeys: [] },
    ),
    limits: fc.record(
      {
        cpu: fc.integer({ min: 1, max: 8 }).map(String),
        memory: fc.integer({ min: 1, max: 8 }).map((n) => `${n}Gi`),
      },
      { requiredKeys: [] },
    ),
  },
  { requiredKeys: [] },
);

const scaling = fc.oneof(
  fc.record({ replicas: fc.integer({ min: 0, max: 1000 }) }, { requiredKeys: [] }),
  fc
    .tuple(
      fc.integer({ min: 1, max: 500 }),
      fc.integer({ min: 0, max: 500 }),
      fc.integer({ min: 1, max: 100 }),
    )
    .map(([minReplicas, more, targetCPUUtilization]) => ({
      autoscaling: { minReplicas, maxReplicas: minReplicas + more, targetCPUUtilization },
    })),
);

const override = fc
  .tuple(
    scaling,
    fc.record(
      { resources, env: environment, rolloutDeadlineSeconds: fc.integer({ min: 10, max: 3600 }) },
      { requiredKeys: [] },
    ),
  )
  .map(([scale, rest]) => ({ ...scale, ...rest }));

const cidr = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(32)).map(([a, b, bits]) => `${a}.${b}.0.0/${bits}`);

/** An exposure; `nodePort` is this workload's own, so that no two collide. */
function exposure(nodePort: number) {
  return fc.oneof(
    fc.constant({ type: "ClusterIP" as const }),
    fc.constant({ type: "NodePort" as const }),
    fc.constant({ type: "NodePort" as const, nodePort }),
    fc
      .record(
        { port, internal: fc.boolean(), allowedSources: fc.array(cidr, { minLength: 1, maxLength: 2 }) },
        { requiredKeys: [] },
      )
      .map((rest) => ({ type: "LoadBalancer" as const, ...rest })),
  );
}

const registry = fc.oneof(
  fc.record({ server: fc.constantFrom("localhost:5001", "registry.example", "127.0.0.1:65535") }),
  fc.record({
    server: fc.constant("registry.example"),
    username: text(lower, 8),
    password: fc.string({ minLength: 1 }),
  }),
);

const platform = fc.oneof(
  fc.record({ kind: fc.constant("local"), address: label }, { requiredKeys: ["kind"] }),
  fc.record(
    {
      kind: fc.constant("local"),
      context: label,
      kubeconfig: fc.constant("~/config"),
      registry,
      address: label,
    },
    { requiredKeys: ["kind", "context", "registry"] },
  ),
);

const images = fc.oneof(
  fc.record(
    {
      source: fc.constant("build"),
      repository: fc
        .array(text(`${lower}${digits}`, 8), { minLength: 1, maxLength: 3 })
        .map((parts) => parts.join("/")),
      baseImage: fc.constantFrom(
        "node:24-bookworm-slim",
        "localhost:5000/base@sha256:".concat("0".repeat(64)),
      ),
      platform: fc.constantFrom("linux/amd64", "linux/arm64", "linux/arm/v7"),
    },
    { requiredKeys: ["source"] },
  ),
  fc.record({ source: fc.constant("promote"), stack: fc.constant("organization/slipway/staging") }),
);

/** A valid configuration of a stack, as a user would write it, with every key present or absent. */
export const stackConfiguration = fc
  .record(
    {
      platform,
      namespace: label,
      images,
      workloads: fc.record({ api: override, frontend: override }, { requiredKeys: [] }),
      exposure: fc.record({ api: exposure(30001), frontend: exposure(32767) }, { requiredKeys: [] }),
      delivery: fc.constant({ kind: "push" }),
      secrets: fc.record(
        {
          api: fc.dictionary(environmentName, fc.string({ minLength: 1 }), { maxKeys: 2 }),
          frontend: fc.constant({}),
        },
        { requiredKeys: [] },
      ),
    },
    { requiredKeys: ["platform"] },
  )
  // The embedded environment has no load balancer.
  .filter(
    ({ platform: where, exposure = {} }) =>
      (where !== undefined && "context" in where) ||
      Object.values(exposure).every((value) => value?.type !== "LoadBalancer"),
  );
const check = (ports: readonly string[]) =>
  fc.record({ path: fc.constantFrom("/", "/readyz", "/healthz"), port: fc.constantFrom(...ports) });

const ports = fc.uniqueArray(fc.tuple(fc.constantFrom("http", "grpc", "metrics"), port), {
  minLength: 1,
  maxLength: 3,
  selector: ([name]) => name,
});

/** A workload's definition, valid but for `connectsTo`, which takes one of `peers`. */
export function definition(peers: readonly string[]) {
  return ports.chain((list) => {
    const names = list.map(([name]) => name);
    const flag = fc.constant(true as const);
    return fc.record(
      {
        image: fc.constant({ context: "app/api" }),
        ports: fc.constant(Object.fromEntries(list)),
        env: environment,
        config: fc.record({
          mountPath: fc.constant("/etc/config"),
          files: fc.dictionary(fc.constantFrom("a.json", "b.txt"), fc.jsonValue({ maxDepth: 2 }) as never, {
            maxKeys: 2,
          }),
        }),
        writablePaths: fc.uniqueArray(fc.constantFrom("/tmp", "/var/cache"), { maxLength: 2 }),
        readiness: check(names),
        liveness: check(names),
        replicas: fc.integer({ min: 0, max: 10 }),
        resources,
        connectsTo: fc.subarray([...peers]),
        egress: fc.array(fc.record({ cidr, port }), { maxLength: 2 }),
        drainSeconds: fc.integer({ min: 0, max: 60 }),
        exemptions: fc.record(
          {
            serviceAccountToken: flag,
            writableRootFilesystem: flag,
            noNetworkPolicy: flag,
            noDisruptionBudget: flag,
          },
          { requiredKeys: [] },
        ),
      },
      { requiredKeys: ["image", "ports", "readiness", "liveness", "resources"] },
    );
  });
}
