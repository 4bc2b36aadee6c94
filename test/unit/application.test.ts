import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { application as shipped } from "../../infra/application.ts";
import { InputError } from "../../infra/config/error.ts";
import { parseStackConfig } from "../../infra/config/parse.ts";
import { checkApplication } from "../../infra/workloads/check.ts";
import { type Application, urlOf, type Workload } from "../../infra/workloads/definition.ts";
import { stackConfig } from "../../local/deliver/project.ts";
import { type Config, minimal } from "../support/release.ts";

function messageOf(application: Application, config: Config = {}): string {
  const parsed = parseStackConfig(
    { platform: { kind: "local" }, ...config },
    { stack: "dev", workloads: Object.keys(application) },
  );
  try {
    checkApplication(application, parsed);
    return "accepted";
  } catch (error) {
    expect(error).toBeInstanceOf(InputError);
    return (error as InputError).message;
  }
}

const api = (workload: Partial<Workload>) => ({ api: { ...minimal, ...workload } });
const key = "infra/application.ts: api";
const dnsLabel =
  "must be a DNS label: lower-case letters, digits and dashes, beginning and ending with a letter or digit.";

describe("a definition that breaks a rule is refused with its key, the value and the rule", () => {
  test.each<[rule: string, application: Application, message: string]>([
    ["the smallest definition", api({}), "accepted"],
    [
      "a name that is no DNS label",
      { API: minimal },
      `infra/application.ts: API (name) = "API": ${dnsLabel}`,
    ],
    [
      "no port",
      api({ ports: {} }),
      `${key}.ports: must name at least one port.\n${key}.readiness.port = "http": must be one of the workload's ports: .\n${key}.liveness.port = "http": must be one of the workload's ports: .`,
    ],
    ["port 0", api({ ports: { http: 0 } }), `${key}.ports.http = 0: must be a port from 1 to 65535.`],
    [
      "port 65536",
      api({ ports: { http: 65536 } }),
      `${key}.ports.http = 65536: must be a port from 1 to 65535.`,
    ],
    ["half a port", api({ ports: { http: 80.5 } }), `${key}.ports.http = 80.5: must be a whole number.`],
    ["a negative drain", api({ drainSeconds: -1 }), `${key}.drainSeconds = -1: must be 0 or more.`],
    [
      "an egress that is no CIDR",
      api({ egress: [{ cidr: "everywhere", port: 443 }] }),
      `${key}.egress[0].cidr = "everywhere": must be an IPv4 CIDR such as 203.0.113.0/24.`,
    ],
    [
      "an environment variable that every container gets",
      api({ env: { POD_NAME: "x" } }),
      `${key}.env.POD_NAME (name) = "POD_NAME": is set by Slipway. Choose another name.`,
    ],
    [
      "a secret with the name of a plain variable",
      api({ env: { KEY: "x" }, secretEnv: ["KEY"] }),
      `${key}.secretEnv = "KEY": is in env too. Remove it from one of them.`,
    ],
    [
      "a relative mount path",
      api({ config: { mountPath: "config", files: {} } }),
      `${key}.config.mountPath = "config": must be an absolute path.`,
    ],
    [
      "a file's name with a slash",
      api({ config: { mountPath: "/config", files: { "a/b": "" } } }),
      `${key}.config.files (name) = "a/b": must be a file name: letters, digits, dots, dashes and underscores.`,
    ],
    [
      "a port used twice",
      api({ ports: { http: 8080, metrics: 8080 } }),
      `${key}.ports.metrics = 8080: is used twice: port http has it too. Give each port a number of its own.`,
    ],
    [
      "a port's name that is no DNS label",
      api({ ports: { http: 8080, Metrics: 9090 } }),
      `${key}.ports.Metrics (name) = "Metrics": ${dnsLabel}`,
    ],
    [
      "a port's name of 16 characters",
      api({ ports: { http: 8080, "a-very-long-name": 9090 } }),
      `${key}.ports.a-very-long-name (name) = "a-very-long-name": must be at most 15 characters.`,
    ],
    [
      "a check at a port that does not exist",
      api({ liveness: { path: "/", port: "admin" } }),
      `${key}.liveness.port = "admin": must be one of the workload's ports: http.`,
    ],
    [
      "a check whose path is relative",
      api({ readiness: { path: "readyz", port: "http" } }),
      `${key}.readiness.path = "readyz": must begin with /.`,
    ],
    ["replicas below 0", api({ replicas: -1 }), `${key}.replicas = -1: must be 0 or more.`],
    [
      "a malformed quantity",
      api({ resources: { requests: { cpu: "50 m" } } }),
      `${key}.resources.requests.cpu: must be a Kubernetes quantity such as "250m".`,
    ],
    [
      "a limit under its request",
      api({ resources: { requests: { memory: "1Gi" }, limits: { memory: "1000Mi" } } }),
      `${key}.resources.limits.memory: must not be less than requests.memory (1Gi).`,
    ],
    [
      "an environment variable's name with a dash",
      api({ env: { "A-B": "x" } }),
      `${key}.env.A-B (name) = "A-B": must be an environment variable's name: letters, digits and underscores, not beginning with a digit.`,
    ],
    [
      "a destination's port out of range",
      api({ egress: [{ cidr: "10.0.0.0/8", port: 0 }] }),
      `${key}.egress[0].port = 0: must be a port from 1 to 65535.`,
    ],
    [
      "a connection to a workload that does not exist",
      api({ connectsTo: ["db"] }),
      `${key}.connectsTo = "db": is not a workload of this application.`,
    ],
    [
      "the address of a workload that does not exist, in a variable",
      api({ env: { URL: urlOf("db") } }),
      `${key} (URL) = "db": takes the address of a workload that does not exist.`,
    ],
    [
      "the address of a workload that does not exist, deep in a file",
      api({ config: { mountPath: "/config", files: { "config.json": { urls: [urlOf("db")] } } } }),
      `${key} (config.json) = "db": takes the address of a workload that does not exist.`,
    ],
    [
      "every problem of every workload",
      { API: minimal, api: { ...minimal, replicas: -1, ports: { http: 0 } } },
      [
        `infra/application.ts: API (name) = "API": ${dnsLabel}`,
        `${key}.ports.http = 0: must be a port from 1 to 65535.`,
        `${key}.replicas = -1: must be 0 or more.`,
      ].join("\n"),
    ],
  ])("%s", (_, application, message) => {
    expect(messageOf(application)).toBe(message);
  });
});

const addressing = { api: minimal, web: { ...minimal, env: { API: urlOf("api") } } };
const noAddress =
  'slipway:exposure.api = "ClusterIP": gives no public address, and API of infra/application.ts: web needs one. Set slipway:exposure.api.type to';

describe("a stack that does not fit the application is refused", () => {
  test.each<[rule: string, application: Application, config: Config, message: string]>([
    [
      "a limit of the stack under a request of the definition",
      api({ resources: { requests: { memory: "256Mi" } } }),
      { workloads: { api: { resources: { limits: { memory: "128Mi" } } } } },
      'slipway:workloads.api.resources.limits.memory = "128Mi": must not be less than requests.memory (256Mi). Raise the limit or lower the request.',
    ],
    [
      "a request of the stack over a limit of the definition",
      api({ resources: { limits: { cpu: "500m" } } }),
      { workloads: { api: { resources: { requests: { cpu: "1" } } } } },
      'slipway:workloads.api.resources.limits.cpu = "500m": must not be less than requests.cpu (1). Raise the limit or lower the request.',
    ],
    ["an address of a workload that has no public one", addressing, {}, `${noAddress} NodePort.`],
    [
      "the same on a cluster of one's own",
      addressing,
      { platform: { kind: "local", context: "own", registry: { server: "registry.example" } } },
      `${noAddress} NodePort or LoadBalancer.`,
    ],
    [
      "the same on Azure",
      addressing,
      { platform: { kind: "azure", location: "westeurope", cluster: { kubernetesVersion: "1.34" } } },
      `${noAddress} LoadBalancer.`,
    ],
    [
      "the same on another stack's platform",
      addressing,
      { platform: { kind: "shared", stack: "organization/shop/dev" } },
      `${noAddress} NodePort, LoadBalancer or Ingress.`,
    ],
    [
      "a required secret that is missing",
      api({ secretEnv: ["TOKEN"] }),
      {},
      "slipway:secrets.api.TOKEN: is required. Set it by: pulumi config set --secret --path slipway:secrets.api.TOKEN.",
    ],
    [
      "a secret that nobody asks for, without its value",
      api({}),
      { secrets: { api: { TOKEN: "hunter2" } } },
      "slipway:secrets.api.TOKEN: is not a secret that the workload asks for. Name it in the workload's secretEnv, or remove it.",
    ],
  ])("%s", (_, application, config, message) => {
    expect(messageOf(application, config)).toBe(message);
  });

  test("and accepted once it does", () => {
    const application = {
      api: { ...minimal, secretEnv: ["TOKEN"] },
      web: { ...minimal, env: { API: urlOf("api") }, connectsTo: ["api"] },
    };
    const config = { exposure: { api: { type: "NodePort" } }, secrets: { api: { TOKEN: "x" } } };
    expect(messageOf(application, config)).toBe("accepted");
  });
});

describe("the application of this repository", () => {
  test.each(["local"])("fits the %s stack", (stack) => {
    const raw = Object.fromEntries(
      Object.entries(stackConfig(stack)).map(([name, value]) => [name.replace("slipway:", ""), value]),
    );
    const config = parseStackConfig(raw, { stack, workloads: Object.keys(shipped) });
    expect(() => checkApplication(shipped, config)).not.toThrow();
  });

  test.each(Object.entries(shipped))("has a Dockerfile for %s", (_, { image }) => {
    expect(existsSync(join(import.meta.dirname, "../..", image.context, "Dockerfile"))).toBe(true);
  });
});
