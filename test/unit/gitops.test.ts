import "../support/offline.ts";
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { stackConfig } from "../../local/deliver/project.ts";
import { type Registered, type Run, runProgram } from "../support/program.ts";
import { temporaryFile } from "../support/temporary.ts";

vi.mock("../../infra/images/buildNumber.ts", () => ({
  buildNumber: () => "0123456789",
  sourceCommit: () => "c".repeat(40),
}));

const ssh = {
  knownHosts: "git.example ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJqm",
  pushKey: "PUSH-KEY",
  pullKey: "PULL-KEY",
};
const url = "ssh://git@git.example/team/manifests.git";

/** What is in the release's manifests, as far as these tests look. */
const manifests = temporaryFile(
  "install.yaml",
  readFileSync(new URL("../support/argocd-install.yaml", import.meta.url), "utf8"),
);

function delivery(changes: Record<string, unknown> = {}) {
  return {
    kind: "gitops",
    engine: "argocd",
    repository: { url, path: "clusters/local", ssh },
    install: { manifests, images: { argocd: "registry.example/argocd:v3" } },
    ...changes,
  };
}

const configured = (changes?: Record<string, unknown>) => ({
  ...stackConfig("local"),
  "slipway:delivery": delivery(changes),
});

const run = (changes?: Record<string, unknown>, rest: Record<string, unknown> = {}) =>
  runProgram("local", { ...configured(changes), ...rest });

/** Message of a program that fails before anything of it is made. */
async function refused(changes: Record<string, unknown>): Promise<string> {
  const registered: Registered[] = [];
  const ran = await runProgram("local", configured(changes), undefined, registered).catch(
    (error: Error) => error,
  );
  expect(registered.filter(({ type }) => type !== "pulumi:pulumi:Stack")).toEqual([]);
  return ran instanceof Error ? ran.message : "no error";
}

function named(program: Run, name: string): Registered {
  const found = program.resources.find((resource) => resource.name === name);
  if (found === undefined) throw new Error(`${name} is not registered`);
  return found;
}

/** The parts of an object that the tests look at. */
type Spec = Record<string, unknown>;

describe("a stack that is delivered by GitOps", () => {
  let program: Run;
  beforeAll(async () => {
    program = await run();
  });

  test("registers no workload: those are rendered, and committed with their addresses and digests", () => {
    expect(
      program.resources.filter(({ name }) => /^(api|frontend)-/.test(name)).map(({ name }) => name),
    ).toEqual([]);
    const files = named(program, "release").inputs.files as Record<string, string>;
    expect(Object.keys(files)).toContain("clusters/local/local/api/deployment.yaml");
    expect(files["clusters/local/local/frontend/configmap.yaml"]).toContain("http://127.0.0.1:30081");
    expect(files["clusters/local/local/api/deployment.yaml"]).toContain(`@sha256:${"0".repeat(64)}`);
    expect(files["clusters/local/local/api/deployment.yaml"]).toContain("name: registry-pull");
  });

  test("commits to its own folder, with build, digests and source in the message", () => {
    const { inputs } = named(program, "release");
    expect(inputs).toMatchObject({ branch: "main", folder: "clusters/local/local", prOnly: false });
    expect(inputs.message).toMatch(/^local: build 0123456789\n\napi .*@sha256:0{64}\n/);
    expect(inputs.message).toContain(`Source-Commit: ${"c".repeat(40)}`);
  });

  test("keeps keys and kubeconfig secret, gives the cluster the one that only reads, and the program the other", () => {
    const { inputs } = named(program, "release");
    expect(inputs.remote).toEqual({
      "[secret]": { url, credentials: { kind: "ssh", key: "PUSH-KEY", knownHosts: ssh.knownHosts } },
    });
    expect(inputs.kubeconfig).toHaveProperty("[secret]");
    const { metadata, data } = named(program, "gitops-repository").inputs as {
      metadata: { labels: Spec; namespace: string };
      data: { "[secret]": Record<string, string> };
    };
    expect(metadata.labels).toMatchObject({ "argocd.argoproj.io/secret-type": "repository" });
    expect(metadata.namespace).toBe("argocd");
    expect(
      Object.fromEntries(
        Object.entries(data["[secret]"]).map(([key, value]) => [
          key,
          Buffer.from(value, "base64").toString(),
        ]),
      ),
    ).toEqual({ type: "git", url, project: "local", sshPrivateKey: "PULL-KEY" });
    expect(
      JSON.stringify(program.resources.filter(({ name }) => !["commit", "release"].includes(name))),
    ).not.toContain("PUSH-KEY");
  });

  test("may touch its repository, its namespace and the kinds that are rendered: no Secret, nothing of the cluster", () => {
    const { spec } = named(program, "gitops-project").inputs as { spec: Spec };
    expect(spec).toMatchObject({
      sourceRepos: [url],
      destinations: [{ server: "https://kubernetes.default.svc", namespace: "local" }],
      clusterResourceWhitelist: [],
    });
    const kinds = (spec.namespaceResourceWhitelist as { kind: string }[]).map(({ kind }) => kind);
    expect(kinds).toContain("Deployment");
    expect(kinds).not.toContain("Secret");
  });

  test("prunes, heals, applies server-side, retries with the newest commit, and leaves workloads when it is deleted", () => {
    const { spec, metadata } = named(program, "gitops-application").inputs as { spec: Spec; metadata: Spec };
    expect(metadata).toMatchObject({ name: "local", namespace: "argocd" });
    expect(metadata).not.toHaveProperty("finalizers");
    expect(spec).toMatchObject({
      project: "local",
      source: { repoURL: url, targetRevision: "main", path: "clusters/local/local" },
      destination: { namespace: "local" },
      syncPolicy: { automated: { prune: true, selfHeal: true }, retry: { refresh: true } },
    });
    expect((spec.syncPolicy as { syncOptions: string[] }).syncOptions).toContain("ServerSideApply=true");
  });

  test("installs Argo CD in its namespace, with the images and the host keys of its own, and no others", () => {
    const controller = named(program, "argocd-statefulset-argocd-application-controller").inputs as {
      metadata: Spec;
      spec: { template: { spec: { containers: Spec[] } } };
    };
    expect(controller.metadata.namespace).toBe("argocd");
    expect(controller.spec.template.spec.containers[0]).toMatchObject({
      image: "registry.example/argocd:v3",
      imagePullPolicy: "IfNotPresent",
    });
    expect(named(program, "argocd-configmap-argocd-ssh-known-hosts-cm").inputs.data).toEqual({
      ssh_known_hosts: ssh.knownHosts,
    });
    expect(
      named(program, "argocd-customresourcedefinition-applications.argoproj.io").inputs.metadata,
    ).not.toHaveProperty("namespace");
  });

  test("gives out the commit and the addresses", () => {
    expect(program.outputs.urls).toMatchObject({
      api: "http://127.0.0.1:30081",
      frontend: "http://127.0.0.1:30080",
    });
  });
});

test("with sign-in, the built-in admin is disabled and the client's secret is in a Secret alone", async () => {
  const sso = {
    url: "https://argocd.example",
    issuer: "https://login.example",
    clientId: "argocd",
    clientSecret: "CLIENT-SECRET",
    admins: ["ops"],
  };
  const program = await run({ install: { mode: "full", manifests, sso } });
  const { data } = named(program, "argocd-configmap-argocd-cm").inputs as { data: Record<string, string> };
  expect(data["admin.enabled"]).toBe("false");
  expect(data["oidc.config"]).toContain("$argocd-sso:clientSecret");
  expect(named(program, "argocd-sso").inputs.data).toEqual({
    "[secret]": { clientSecret: Buffer.from("CLIENT-SECRET").toString("base64") },
  });
  expect(JSON.stringify(program.resources)).not.toContain("CLIENT-SECRET");
});

test("with install null, Argo CD is taken to be there already", async () => {
  const { resources } = await run({ install: null });
  expect(resources.filter(({ name }) => name.startsWith("argocd"))).toEqual([]);
  expect(resources.map(({ name }) => name)).toContain("gitops-application");
});

test("sync windows are the project's", async () => {
  const window = { kind: "allow", schedule: "0 8 * * 1-5", duration: "8h" };
  const { spec } = named(await run({ syncWindows: [window] }), "gitops-project").inputs as { spec: Spec };
  expect(spec.syncWindows).toEqual([{ ...window, manualSync: true, applications: ["*"] }]);
});

describe("with applications: set", () => {
  test("the stack that installs Argo CD makes one ApplicationSet for all folders, which keeps the workloads of one that goes", async () => {
    const program = await run({ applications: "set" });
    expect(program.resources.map(({ name }) => name)).not.toContain("gitops-application");
    const { spec, metadata } = named(program, "gitops-applications").inputs as { spec: Spec; metadata: Spec };
    expect(metadata).toMatchObject({ name: "slipway", namespace: "argocd" });
    expect(spec).toMatchObject({
      goTemplate: true,
      generators: [
        { git: { repoURL: url, revision: "main", files: [{ path: "clusters/local/*/stack.yaml" }] } },
      ],
      syncPolicy: { preserveResourcesOnDeletion: true },
      template: {
        metadata: {
          name: "{{ .namespace }}",
          labels: { "app.kubernetes.io/instance": "{{ .stack }}" },
        },
        spec: {
          project: "{{ .namespace }}",
          source: { path: "{{ .path.path }}" },
          destination: { namespace: "{{ .namespace }}" },
          syncPolicy: { automated: { prune: true, selfHeal: true } },
        },
      },
    });
    expect((spec.template as { metadata: Spec }).metadata).not.toHaveProperty("finalizers");
    const { data } = named(program, "gitops-applications-repository").inputs as {
      data: { "[secret]": Record<string, string> };
    };
    expect(data["[secret]"]).not.toHaveProperty("project");
    const files = named(program, "release").inputs.files as Record<string, string>;
    expect(files["clusters/local/local/stack.yaml"]).toMatch(
      /^#.*\nnamespace: local\nproject: slipway\nstack: local\n$/,
    );
  });

  test("another stack makes its project and credentials alone, and waits for its Application", async () => {
    const program = await run({ applications: "set", install: null });
    const names = program.resources.map(({ name }) => name).filter((name) => name.startsWith("gitops-"));
    expect(names.sort()).toEqual(["gitops-project", "gitops-repository"]);
    expect(named(program, "release").inputs.fromSet).toBe(true);
  });
});

const remote = (repository: Record<string, unknown>) => run({ repository });

test.each([
  [{ url: "not a url", ssh }, "slipway:delivery.repository.url", "must be a Git repository's URL"],
  [
    { url: "http://git.example/a.git", token: {} },
    "slipway:delivery.repository.url",
    "must be a Git repository's URL",
  ],
  [
    { url: "https://user:hunter2@git.example/a.git" },
    "slipway:delivery.repository.url",
    "without a password",
  ],
  [{ url: "ext::sh -c true" }, "slipway:delivery.repository.url", "must be a Git repository's URL"],
  [
    { url: "ssh://-oProxyCommand=true/a" },
    "slipway:delivery.repository.url",
    "must be a Git repository's URL",
  ],
  [{ url }, "slipway:delivery.repository.ssh", "is required with a URL by SSH"],
  [
    { url: "https://git.example/a.git", ssh },
    "slipway:delivery.repository.token",
    "is required with a URL by HTTPS",
  ],
  [
    { url, ssh: { ...ssh, knownHosts: undefined } },
    "slipway:delivery.repository.ssh.knownHosts",
    "is required",
  ],
  [
    { url, ssh: { ...ssh, knownHosts: "*" } },
    "slipway:delivery.repository.ssh.knownHosts",
    "must have lines as in",
  ],
  [
    { url, ssh: { ...ssh, insecure: true } },
    "slipway:delivery.repository.ssh.insecure",
    "is not a known key",
  ],
  [
    { url, ssh, path: "../other" },
    "slipway:delivery.repository.path",
    "must be a folder below the repository's root",
  ],
  [{ url, ssh, branch: "--upload-pack=x" }, "slipway:delivery.repository.branch", "must be a branch's name"],
])("the repository %j is refused at %s", async (repository, key, rule) => {
  const message = await remote(JSON.parse(JSON.stringify(repository)) as Record<string, unknown>).then(
    () => "no error",
    (error: Error) => error.message,
  );
  expect(message).toContain(key);
  expect(message).toContain(rule);
  for (const secret of ["PUSH-KEY", "PULL-KEY", "hunter2"]) expect(message).not.toContain(secret);
});

test("a NodePort that the cluster would pick is refused where others refer to it", async () => {
  const exposure = { api: { type: "NodePort" }, frontend: { type: "NodePort", nodePort: 30080 } };
  await expect(run({}, { "slipway:exposure": exposure })).rejects.toThrow(
    "slipway:exposure.api.nodePort: is required with delivery by gitops",
  );
});

test("a load balancer's address, which the cloud picks, is refused where others refer to it", async () => {
  const platform = {
    kind: "local",
    context: "slipway",
    kubeconfig: new URL("../support/kubeconfig.yaml", import.meta.url).pathname,
    registry: { server: "registry.example" },
  };
  await expect(
    run(
      {},
      {
        "slipway:platform": platform,
        "slipway:exposure": {
          api: { type: "LoadBalancer" },
          frontend: { type: "NodePort", nodePort: 30080 },
        },
      },
    ),
  ).rejects.toThrow("slipway:exposure.api.dnsLabel: is required with delivery by gitops");
});

test("a stack on a cluster of its own must name a repository", async () => {
  const platform = { kind: "local", context: "own", registry: { server: "registry.example" } };
  await expect(run({ repository: undefined }, { "slipway:platform": platform })).rejects.toThrow(
    "slipway:delivery.repository",
  );
});

test.each([
  ["/nowhere.yaml", "cannot be read (ENOENT)"],
  [temporaryFile("empty.yaml", "kind: Nothing\n"), "has a document that is no Kubernetes object"],
  [
    temporaryFile("other.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n"),
    "it does not define Applications",
  ],
  [temporaryFile("broken.yaml", "a: [\n"), "is not YAML"],
])("the manifests %s are refused before anything is made", async (file, rule) => {
  expect(await refused({ install: { manifests: file } })).toContain(rule);
});

test.each([
  [404, "is no release of Argo CD"],
  [503, "answers 503"],
])("a version whose manifests answer %i says so before anything is made", async (status, rule) => {
  vi.stubGlobal("fetch", async () => new Response("", { status }));
  try {
    expect(await refused({ install: { version: "v99.0.0" } })).toContain(rule);
  } finally {
    vi.unstubAllGlobals();
  }
});
