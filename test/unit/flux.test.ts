import "../support/offline.ts";
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test, vi } from "vitest";
import type { Cluster, KubeObject } from "../../infra/cluster/cluster.ts";
import { InputError } from "../../infra/config/error.ts";
import { awaitFlux } from "../../infra/gitops/flux/sync.ts";
import { stackConfig } from "../../local/deliver/project.ts";
import { type Run, runProgram } from "../support/program.ts";
import { temporaryFile } from "../support/temporary.ts";

vi.mock("../../infra/images/buildNumber.ts", () => ({
  buildNumber: () => "0123456789",
  sourceCommit: () => "c".repeat(40),
}));

const manifests = temporaryFile(
  "install.yaml",
  readFileSync(new URL("../support/flux-install.yaml", import.meta.url), "utf8"),
);
const ssh = {
  knownHosts: "git.example ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJqm",
  pushKey: "PUSH-KEY",
  pullKey: "PULL-KEY",
};

function run(repository: unknown, install: unknown = { manifests }): Promise<Run> {
  const delivery = { kind: "gitops", engine: "flux", repository, install };
  return runProgram("local", { ...stackConfig("local"), "slipway:delivery": delivery });
}

/** The inputs of a resource, as far as these tests look. */
function inputsOf(program: Run, name: string) {
  const found = program.resources.find((resource) => resource.name === name);
  if (found === undefined) throw new Error(`${name} is not registered`);
  return found.inputs as {
    apiVersion: string;
    metadata: { name: string; namespace?: string };
    spec: Record<string, never>;
    data: Record<string, never>;
    rules: { apiGroups: string[]; resources: string[]; verbs: string[] }[];
    subjects: unknown[];
    roleRef: unknown;
    engine: string;
  };
}

const decoded = (data: unknown) => {
  const { "[secret]": secret } = data as { "[secret]": Record<string, string> };
  return Object.fromEntries(
    Object.entries(secret).map(([key, value]) => [key, Buffer.from(value, "base64").toString()]),
  );
};

describe("a stack that Flux syncs", () => {
  let program: Run;
  beforeAll(async () => {
    program = await run({ url: "git@git.example:team/manifests.git", path: "clusters/local", ssh });
  });

  test("has no workload of Pulumi's, and a commit that waits for Flux", () => {
    expect(program.resources.map(({ type }) => type)).not.toContain("kubernetes:apps/v1:Deployment api");
    expect(program.resources.some(({ name }) => name === "api-deployment")).toBe(false);
    expect(inputsOf(program, "release").engine).toBe("flux");
  });

  test("follows the branch by a URL that Flux takes, with the key and the pinned host in a Secret", () => {
    expect(inputsOf(program, "gitops-source").spec).toMatchObject({
      url: "ssh://git@git.example/team/manifests.git",
      ref: { branch: "main" },
      secretRef: { name: "repository-local" },
    });
    expect(decoded(inputsOf(program, "gitops-repository").data)).toEqual({
      identity: "PULL-KEY\n",
      known_hosts: `${ssh.knownHosts}\n`,
    });
  });

  test("is pruned, awaited, tried again, and left running when its Kustomization is deleted", () => {
    expect(inputsOf(program, "gitops-sync").spec).toMatchObject({
      path: "./clusters/local/local",
      targetNamespace: "local",
      serviceAccountName: "local",
      prune: true,
      wait: true,
      retryInterval: "5s",
      deletionPolicy: "Orphan",
    });
  });

  test("has its migrations, and what their pods need, synced before everything else", () => {
    const [migrations, sync] = [inputsOf(program, "gitops-migrations"), inputsOf(program, "gitops-sync")];
    expect(sync.spec.dependsOn).toEqual([{ name: migrations.metadata.name }]);
    const leftOut = ({ spec }: { readonly spec: { readonly patches?: unknown } }) => {
      const [{ target }] = spec.patches as [{ target: { kind: string } }];
      return target.kind.slice(1, -1).split("|");
    };
    expect(leftOut(sync)).toEqual([
      "ServiceAccount",
      "ConfigMap",
      "NetworkPolicy",
      "SecretProviderClass",
      "Job",
    ]);
    expect(leftOut(migrations)).toContain("Deployment");
    // Each object has one owner.
    expect(leftOut(sync).filter((kind) => leftOut(migrations).includes(kind))).toEqual([]);
    const rules = inputsOf(program, "gitops-role").rules as { resources: string[] }[];
    const kinds = rules.filter(({ resources }) => !/^(pods|replicasets)$/.test(resources[0] ?? ""));
    expect([...leftOut(sync), ...leftOut(migrations)]).toHaveLength(kinds.length);
  });

  test("may have its own kinds in its own namespace, and nothing else", () => {
    const { rules, metadata } = inputsOf(program, "gitops-role");
    expect(metadata.namespace).toBe("local");
    expect(rules.flatMap(({ resources }) => resources)).toContain("deployments");
    expect(
      rules.flatMap(({ resources, verbs, apiGroups }) => [...resources, ...verbs, ...apiGroups]),
    ).not.toContain("*");
    expect(rules.flatMap(({ resources }) => resources)).not.toContain("secrets");
    expect(inputsOf(program, "gitops-binding")).toMatchObject({
      roleRef: { kind: "Role", name: metadata.name },
      subjects: [{ kind: "ServiceAccount", name: "local", namespace: "flux-system" }],
    });
  });

  test("brings the controllers that it needs, and no other", () => {
    const names = program.resources.map(({ name }) => name).filter((name) => name.startsWith("flux-"));
    expect(names.sort()).toEqual([
      "flux-customresourcedefinition-kustomizations.kustomize.toolkit.fluxcd.io",
      "flux-deployment-kustomize-controller",
      "flux-deployment-source-controller",
      "flux-namespace-flux-system",
    ]);
  });
});

test("a token is what Flux reads a repository by HTTPS with", async () => {
  const token = { push: "PUSH-TOKEN", pull: "PULL-TOKEN" };
  const program = await run({ url: "https://git.example/team/manifests.git", token }, null);
  expect(decoded(inputsOf(program, "gitops-repository").data)).toEqual({
    username: "git",
    password: "PULL-TOKEN",
  });
  expect(program.resources.some(({ name }) => name.startsWith("flux-"))).toBe(false);
});

test.each([
  ["a file that is not there", "/nonexistent/install.yaml", "cannot be read (ENOENT)"],
  [
    "another product's manifests",
    new URL("../support/argocd-install.yaml", import.meta.url).pathname,
    "is no manifest of Flux: it does not define Kustomizations",
  ],
])("an installation from %s is refused", async (_, file, message) => {
  const failed = run({ url: "ssh://git@git.example/m.git", ssh }, { manifests: file });
  await expect(failed).rejects.toThrow(message);
  await expect(failed).rejects.toBeInstanceOf(InputError);
});

describe("a commit is awaited", () => {
  const commit = "a".repeat(40);
  const goal = {
    namespace: "shop",
    revision: commit,
    isSame: async () => false,
    timeoutSeconds: 1,
    onProgress: () => {},
  };
  const ready = (status: string, reason: string, message: string) => [
    { type: "Ready", status, reason, message, observedGeneration: 1 },
  ];
  /** A cluster in which Flux says this. */
  const cluster = (kustomization: object, source: object = {}) =>
    ({
      read: async ({ kind, metadata: { name } }: KubeObject) =>
        name === "shop"
          ? {
              kind,
              metadata: { name, generation: 1 },
              status: kind === "Kustomization" ? kustomization : source,
            }
          : undefined,
    }) as unknown as Cluster;

  test("until it is applied and healthy", async () => {
    const revision = `main@sha1:${commit}`;
    await awaitFlux(
      cluster({ conditions: ready("True", "ReconciliationSucceeded", ""), lastAppliedRevision: revision }),
      goal,
    );
  });

  test("and not taken for there while the one before is", async () => {
    const before = cluster({
      conditions: ready("True", "ReconciliationSucceeded", ""),
      lastAppliedRevision: `main@sha1:${"b".repeat(40)}`,
    });
    await expect(awaitFlux(before, goal)).rejects.toThrow(
      "must be ready at the commit aaaaaaaaaa within 1 s",
    );
  });

  test("no longer than it takes Flux to tell that its pods do not get ready", async () => {
    const failed = cluster({
      conditions: ready("False", "HealthCheckFailed", "Deployment/shop/api status: 'Failed'"),
      lastAttemptedRevision: `main@sha1:${commit}`,
    });
    await expect(awaitFlux(failed, { ...goal, timeoutSeconds: 60 })).rejects.toThrow(
      /did not get to the commit aaaaaaaaaa; the pods of the last good release keep serving\n {2}\| Deployment\/shop\/api status: 'Failed'/,
    );
  });

  test("and one that failed before it was asked again is not taken for its answer", async () => {
    const before = {
      read: async ({ metadata: { name } }: KubeObject) =>
        name === "shop"
          ? {
              metadata: { name, generation: 1, annotations: { "reconcile.fluxcd.io/requestedAt": "now" } },
              status: {
                conditions: ready("False", "HealthCheckFailed", "Job/shop/api-migration status: 'Failed'"),
                lastAttemptedRevision: `main@sha1:${commit}`,
                lastHandledReconcileAt: "before",
              },
            }
          : undefined,
    } as unknown as Cluster;
    await expect(awaitFlux(before, goal)).rejects.toThrow(
      "must be ready at the commit aaaaaaaaaa within 1 s",
    );
  });

  test("and the repository's own trouble is told when time is up", async () => {
    const unread = cluster(
      {},
      { conditions: ready("False", "GitOperationFailed", "unable to clone: host key mismatch") },
    );
    await expect(awaitFlux(unread, goal)).rejects.toThrow(
      "GitRepository shop: unable to clone: host key mismatch",
    );
  });
});
