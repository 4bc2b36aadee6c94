import { describe, expect, test } from "vitest";
import { checkDatabase } from "../../infra/database/check.ts";
import { derivePassword, scramVerifier } from "../../infra/database/key.ts";
import { syncWaves } from "../../infra/delivery/syncWaves.ts";
import { migrationJob } from "../../infra/workloads/migrationJob.ts";
import { find, image, minimal, objectsOf, release } from "../support/release.ts";

const database = { migrate: ["node", "dist/migrate.js"] } as const;
const url = "postgres://api:hunter2@db.example:6432/shop";

describe("the migration of a workload with a database", () => {
  test("runs the workload's own image with its command, environment and identity, once", () => {
    const job = find(objectsOf({ database, env: { MODE: "full" } }), "Job");
    const { template, backoffLimit } = job.spec;
    const [container] = template.spec.containers;
    const { spec } = find(objectsOf({ database, env: { MODE: "full" } }), "Deployment").spec.template;
    expect(backoffLimit).toBe(0);
    expect(container).toMatchObject({ image: image.reference, command: ["node", "dist/migrate.js"] });
    expect(container?.env).toEqual(spec.containers[0]?.env);
    expect(template.spec.securityContext).toEqual(spec.securityContext);
    expect(template.spec.serviceAccountName).toBe(spec.serviceAccountName);
  });

  test("is another Job when anything in it changes, for a Job cannot be changed, and else the same one", () => {
    const name = (given: object, config: object = {}, runnable = image) =>
      migrationJob(
        release({
          application: { api: { ...minimal, database, ...given } },
          config: { ...config },
          image: runnable,
        }),
      )?.metadata.name;
    const names = [
      name({}),
      name({ database: { migrate: ["other"] } }),
      name({}, { database: { kind: "inCluster", credentials: 2 } }),
      name({}, {}, { ...image, reference: image.reference.toString().replace("aaa", "abc") }),
      name({}, {}, { ...image, version: "another" }),
      name({ env: { MODE: "full" } }),
      name({}, { workloads: { api: { resources: { limits: { memory: "1Gi" } } } } }),
    ];
    expect(new Set(names).size).toBe(names.length);
    expect(name({}, { workloads: { api: { replicas: 5 } } })).toBe(names[0]);
  });

  test("is found by no Service, and let to the database by the workload's policy", () => {
    const objects = objectsOf({ database });
    const labels = find(objects, "Job").spec.template.metadata.labels;
    expect(labels["app.kubernetes.io/name"]).toBe("api-migration");
    expect(find(objects, "Service").spec.selector["app.kubernetes.io/name"]).toBe("api");
    const { podSelector, egress } = find(objects, "NetworkPolicy").spec;
    expect(podSelector).toMatchObject({ matchExpressions: [{ values: ["api", "api-migration"] }] });
    expect(egress).toContainEqual({
      to: [
        {
          podSelector: {
            matchLabels: { "app.kubernetes.io/name": "database", "app.kubernetes.io/instance": "dev" },
          },
        },
      ],
      ports: [{ protocol: "TCP", port: 5432 }],
    });
  });

  test("sets a server of the stack's own up first; a database that is there already is left as it is", () => {
    const setUp = (config?: object) => find(objectsOf({ database }, { ...config }), "Job").spec.template.spec;
    expect(setUp()).toHaveProperty("initContainers.0.name", "set-up");
    expect(setUp({ database: { kind: "external", url } })).not.toHaveProperty("initContainers");
  });
});

test("a database by URL is reached at its port, and its URL is in no object", () => {
  const objects = objectsOf({ database }, { database: { kind: "external", url } });
  expect(find(objects, "NetworkPolicy").spec.egress).toContainEqual({
    ports: [{ protocol: "TCP", port: 6432 }],
  });
  expect(JSON.stringify(objects)).not.toContain("hunter2");
});

test.each(["mysql://api:hunter2@db/shop", "postgres://db/shop", "postgres://api:hunter2@db", "db"])(
  "what is not a database's URL is refused, and not shown: %s",
  (wrong) => {
    expect(() => checkDatabase({ kind: "external", url: wrong })).toThrow(
      /^slipway:database\.url: must be a URL such as postgres:\/\/user:password@host:5432\/name\. Set it by:/,
    );
    expect(() => checkDatabase({ kind: "external", url: wrong })).not.toThrow("hunter2");
  },
);

test("a workload without a database has no Job, and no URL", () => {
  const objects = objectsOf();
  expect(objects.filter(({ kind }) => kind === "Job")).toEqual([]);
  expect(JSON.stringify(objects)).not.toContain("DATABASE_URL");
});

test("passwords differ by purpose and by key, and are the same for the same", () => {
  const passwords = [
    derivePassword("a2V5", "admin"),
    derivePassword("a2V5", "api_1"),
    derivePassword("a2V6", "admin"),
  ];
  expect(new Set(passwords).size).toBe(3);
  expect(derivePassword("a2V5", "admin")).toBe(passwords[0]);
  for (const password of passwords) expect(password).toMatch(/^[\w-]{43}$/);
});

test("a verifier is what SCRAM makes of a password", () => {
  // The example of RFC 7677.
  expect(scramVerifier("pencil", Buffer.from("W22ZaJ0SNY7soEsUEjb6gQ==", "base64"))).toBe(
    "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=",
  );
});

test("Argo CD migrates before it releases, and first makes what the migration's pods need", () => {
  const rendered = syncWaves(
    objectsOf({ database, config: { mountPath: "/config", files: { "a.txt": "a" } } }).filter(
      (object) => object.kind !== "Secret",
    ),
  );
  const waves = rendered.map(({ kind, metadata }) => {
    const { annotations = {} } = metadata as { annotations?: { [name: string]: string } };
    return [kind, Number(annotations["argocd.argoproj.io/sync-wave"] ?? 0)];
  });
  expect(Object.fromEntries(waves)).toMatchObject({
    ServiceAccount: -2,
    ConfigMap: -2,
    NetworkPolicy: -2,
    Job: -1,
    Service: 0,
    Deployment: 0,
  });
});
