import * as pulumi from "@pulumi/pulumi";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { InputError } from "../../infra/config/error.ts";
import { parseStackConfig } from "../../infra/config/parse.ts";
import { secretValues } from "../../infra/config/secrets.ts";
import { stackSchema } from "../../infra/config/stack.ts";
import { renderChart } from "../../infra/delivery/chart.ts";
import { renderApplication, renderingOf } from "../../infra/delivery/render.ts";
import { buildWorkload } from "../../infra/workloads/build.ts";
import { type Application, urlOf, type Workload } from "../../infra/workloads/definition.ts";
import { releaseOf } from "../../infra/workloads/release.ts";
import { type Config, minimal } from "../support/release.ts";

const digest = "a".repeat(64);
const full: Partial<Workload> = {
  env: { GREETING: "Hello", OTHER: urlOf("api") },
  config: { mountPath: "/config", files: { "config.json": { apiUrl: urlOf("api") } } },
  secretEnv: ["TOKEN"],
};
const autoscaled = { workloads: { api: { autoscaling: { minReplicas: 1, maxReplicas: 2 } } } };

function stackOf(application: Application, config: Config) {
  return {
    project: "shop",
    name: "dev",
    config: parseStackConfig(
      { platform: { kind: "local", context: "own", registry: { server: "registry.example" } }, ...config },
      { stack: "dev", workloads: Object.keys(application) },
    ),
  };
}

function valuesOf(application: Application) {
  const names = Object.keys(application);
  return {
    images: Object.fromEntries(
      names.map((name) => [
        name,
        { reference: `registry.example/${name}@sha256:${digest}`, version: "4711" },
      ]),
    ),
    pullSecret: "registry-pull",
    addresses: Object.fromEntries(names.map((name) => [name, `http://${name}.example`])),
  };
}

function render(workload: Partial<Workload> = {}, config: Config = {}, others: Application = {}) {
  const application: Application = { api: { ...minimal, ...workload }, ...others };
  return renderApplication(application, stackOf(application, config), valuesOf(application));
}

function contentOf(files: ReturnType<typeof render>, path: string): string {
  const file = files.find((candidate) => candidate.path === path);
  if (file === undefined) throw new Error(`there is no ${path}`);
  return file.content;
}

test("every object is a file at a path of its own, and every folder has a kustomization and a README", () => {
  const files = render(
    full,
    { ...autoscaled, secrets: { api: { TOKEN: "of-the-configuration" } } },
    { clock: minimal },
  );
  expect(files.map(({ path }) => path)).toEqual([
    "dev/README.md",
    "dev/api/README.md",
    "dev/api/configmap.yaml",
    "dev/api/deployment.yaml",
    "dev/api/horizontalpodautoscaler.yaml",
    "dev/api/kustomization.yaml",
    "dev/api/networkpolicy.yaml",
    "dev/api/poddisruptionbudget.yaml",
    "dev/api/service.yaml",
    "dev/api/serviceaccount.yaml",
    "dev/clock/README.md",
    "dev/clock/deployment.yaml",
    "dev/clock/kustomization.yaml",
    "dev/clock/networkpolicy.yaml",
    "dev/clock/poddisruptionbudget.yaml",
    "dev/clock/service.yaml",
    "dev/clock/serviceaccount.yaml",
    "dev/kustomization.yaml",
    "dev/stack.yaml",
  ]);
});

test("a kustomization names exactly the files and folders beside it", () => {
  const files = render(full, { secrets: { api: { TOKEN: "of-the-configuration" } } }, { clock: minimal });
  for (const { path, content } of files.filter((file) => file.path.endsWith("kustomization.yaml"))) {
    const folder = path.slice(0, -"kustomization.yaml".length);
    const beside = files
      .filter((file) => file.path.startsWith(folder))
      .map((file) => file.path.slice(folder.length).split("/")[0] as string)
      .filter((name) => !["README.md", "kustomization.yaml", "stack.yaml"].includes(name));
    expect((parse(content) as { resources: string[] }).resources).toEqual([...new Set(beside)].sort());
  }
});

test("every file begins by telling that it is not to be edited", () => {
  for (const { path, content } of render(full, { secrets: { api: { TOKEN: "of-the-configuration" } } }))
    expect([path, content.split("\n")[0]]).toEqual([path, expect.stringContaining("DO NOT EDIT")]);
});

test("what a file says is what push delivers, but for the Secret", () => {
  const application: Application = { api: { ...minimal, ...full } };
  const stack = stackOf(application, { ...autoscaled, secrets: { api: { TOKEN: "of-the-configuration" } } });
  const values = valuesOf(application);
  const built = buildWorkload(
    releaseOf(application, "api", stack.config, values.images.api as never, {
      project: "shop",
      stack: "dev",
      namespace: "dev",
      pullSecret: values.pullSecret,
      addresses: values.addresses,
    }),
  );
  const rendered = renderApplication(application, stack, values)
    .filter(({ path }) => path.endsWith(".yaml") && !/(kustomization|stack)\.yaml$/.test(path))
    .map(({ content }) => parse(content, { version: "1.1" }) as { kind: string });
  const pushed = built.filter(({ kind }) => kind !== "Secret");
  expect(rendered).toHaveLength(7);
  expect(rendered).toEqual(pushed.sort((one, other) => (one.kind < other.kind ? -1 : 1)));
});

test("the order in which a stack's file lists its keys does not change a byte", () => {
  const secrets = (...names: string[]) => ({
    secrets: { api: Object.fromEntries(names.map((name) => [name, `secret of ${name}`])) },
    workloads: { api: { env: Object.fromEntries(names.map((name) => [`OWN_${name}`, name])) } },
  });
  const workload = { ...full, secretEnv: ["B", "A", "C"] };
  expect(render(workload, secrets("A", "B", "C"))).toEqual(render(workload, secrets("C", "A", "B")));
});

describe("a secret is never written", () => {
  const token = "hunter2-and-more";
  const secrets = { secrets: { api: { TOKEN: token } } };
  const rule =
    "holds a value that the stack's configuration keeps secret, and secrets are never rendered. Name it in the workload's secretEnv, and set it below slipway:secrets.";
  const base64 = Buffer.from(token).toString("base64");

  test("where it belongs: the container names the Secret that holds it", () => {
    const files = render(full, secrets);
    expect(files.map(({ content }) => content).join("")).not.toMatch(
      new RegExp(`${token}|${base64}|kind: Secret`),
    );
    expect(contentOf(files, "dev/api/deployment.yaml")).toMatch(
      /secretKeyRef:\n +name: api-secret-[0-9a-f]{10}\n/,
    );
  });

  test.each<[string, Partial<Workload>, Config, string]>([
    ["an environment variable", { env: { COPY: token } }, {}, "env[COPY].value"],
    ["a part of one", { env: { URL: `http://user:${token}@db` } }, {}, "env[URL].value"],
    ["one in base64", { env: { COPY: base64 } }, {}, "env[COPY].value"],
    ["one that a stack sets", {}, { workloads: { api: { env: { COPY: token } } } }, "env[COPY].value"],
  ])("as %s", (_, workload, config, field) => {
    expect(() => render({ secretEnv: ["TOKEN"], ...workload }, { ...secrets, ...config })).toThrow(
      new InputError({
        key: `api: Deployment spec.template.spec.containers[api].${field}`,
        rule: rule.split(". ")[0] as string,
        hint: rule.split(". ")[1]?.slice(0, -1) as string,
      }),
    );
  });

  test.each([
    ["a file", token, token],
    ["a part of a file", { database: { password: token } }, token],
    ["a file, however short", "abc", "abc"],
  ])("as %s", (_, content, secret) => {
    expect(() =>
      render(
        { secretEnv: ["TOKEN"], config: { mountPath: "/config", files: { "app.json": content } } },
        { secrets: { api: { TOKEN: secret } } },
      ),
    ).toThrow(`api: ConfigMap data["app.json"]: ${rule}`);
  });

  test("however it is spelt in JSON", () => {
    expect(() =>
      render(
        {
          secretEnv: ["TOKEN"],
          config: { mountPath: "/config", files: { a: { password: 'quo"ted\npart' } } },
        },
        { secrets: { api: { TOKEN: 'quo"ted\npart' } } },
      ),
    ).toThrow("api: ConfigMap data.a:");
  });

  test("of another workload, or of the registry", () => {
    expect(() =>
      render(
        { env: { COPY: "registry-password" } },
        {
          platform: {
            kind: "local",
            context: "own",
            registry: { server: "registry.example", username: "ci", password: "registry-password" },
          },
        },
      ),
    ).toThrow("env[COPY].value");
  });

  test("not even one that only a deployment knows", () => {
    const application: Application = { api: minimal };
    const values = valuesOf(application);
    const unknown = { api: { reference: pulumi.secret("registry.example/api"), version: "4711" } };
    expect(() =>
      renderApplication(application, stackOf(application, {}), { ...values, images: unknown }),
    ).toThrow(
      "api: Deployment spec.template.spec.containers[api].image: is a secret, or known only while the stack is deployed, and cannot be rendered.",
    );
  });

  test("but a short one that is also a name's part stops nothing", () => {
    expect(() => render(full, { secrets: { api: { TOKEN: "secret" } } })).not.toThrow();
    expect(() => render(full, { secrets: { api: { TOKEN: "dev" } } })).not.toThrow();
  });
});

test("every secret that the configuration can hold is one that is looked for", () => {
  const paths: string[] = [];
  const walk = (schema: unknown, path: string): void => {
    if (typeof schema !== "object" || schema === null) return;
    if ((schema as { secret?: boolean }).secret === true) paths.push(path);
    const { properties = {}, additionalProperties, ...rest } = schema as Record<string, unknown>;
    for (const [key, inner] of Object.entries(properties as object)) walk(inner, `${path}.${key}`);
    walk(additionalProperties, `${path}.*`);
    for (const list of Object.values(rest))
      if (Array.isArray(list)) for (const inner of list) walk(inner, path);
  };
  walk(
    z.toJSONSchema(stackSchema({ stack: "dev", workloads: ["api"] }), {
      io: "input",
      unrepresentable: "any",
    }),
    "",
  );
  expect([...new Set(paths)].sort()).toEqual([
    ".database.url",
    ".delivery.install.sso.clientSecret",
    ".delivery.repository.ssh.pullKey",
    ".delivery.repository.ssh.pushKey",
    ".delivery.repository.token.pull",
    ".delivery.repository.token.push",
    ".delivery.signingKey",
    ".platform.registry.password",
    ".secrets.api.*",
  ]);
  const secretsOf = (repository: object) => {
    const { config } = stackOf(
      { api: minimal },
      {
        platform: { kind: "local", context: "own", registry: { server: "r", username: "ci", password: "1" } },
        secrets: { api: { TOKEN: "2" } },
        database: { kind: "external", url: "postgres://u:9@h/d" },
        delivery: {
          kind: "gitops",
          engine: "argocd",
          repository,
          signingKey: "3",
          install: {
            mode: "full",
            sso: { url: "https://a.b", issuer: "https://c.d", clientId: "e", clientSecret: "4" },
          },
        },
      },
    );
    return secretValues(config).sort();
  };
  const ssh = { knownHosts: "host ssh-ed25519 AAAA", pushKey: "5", pullKey: "6" };
  expect(secretsOf({ url: "git@host:a.git", ssh })).toEqual([
    "1",
    "2",
    "3",
    "4",
    "5",
    "6",
    "9",
    "postgres://u:9@h/d",
  ]);
  const token = { push: "7", pull: "8" };
  expect(secretsOf({ url: "https://host/a.git", token })).toEqual([
    "1",
    "2",
    "3",
    "4",
    "7",
    "8",
    "9",
    "postgres://u:9@h/d",
  ]);
});

describe("a chart", () => {
  const chart = (workload: Partial<Workload> = {}, config: Config = {}) => {
    const application: Application = { api: { ...minimal, ...workload } };
    return [...renderChart(renderingOf(application, stackOf(application, config), valuesOf(application)))];
  };

  test("has the number of pods and the image's digest as its only values", () => {
    expect(parse(contentOf(chart(), "dev/values.yaml"))).toEqual({
      api: { digest: `sha256:${digest}`, replicas: 2 },
    });
    const deployment = contentOf(chart(), "dev/templates/api/deployment.yaml");
    expect(deployment).toContain('\n  replicas: {{ index .Values "api" "replicas" }}\n');
    expect(deployment).toContain('image: "registry.example/api@{{ index .Values "api" "digest" }}"\n');
  });

  test("leaves the number of pods to an autoscaler where there is one", () => {
    const files = chart({}, autoscaled);
    expect(parse(contentOf(files, "dev/values.yaml"))).toEqual({ api: { digest: `sha256:${digest}` } });
    expect(contentOf(files, "dev/templates/api/deployment.yaml")).not.toContain("replicas");
  });

  test("takes nothing of the application's own text for an expression", () => {
    const files = chart({
      env: { TEMPLATE: "{{ .Release.Name }}" },
      config: { mountPath: "/config", files: { a: "{{ fail }}\n" } },
    });
    expect(contentOf(files, "dev/templates/api/deployment.yaml")).toContain('"{{ "{{" }} .Release.Name }}"');
    expect(contentOf(files, "dev/templates/api/configmap.yaml")).toContain('{{ "{{" }} fail }}');
  });

  test("has no secret in it either", () => {
    expect(() =>
      chart({ secretEnv: ["TOKEN"], env: { COPY: "hunter2" } }, { secrets: { api: { TOKEN: "hunter2" } } }),
    ).toThrow("api: Deployment spec.template.spec.containers[api].env[COPY].value: holds");
  });
});
