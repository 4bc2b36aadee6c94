import { z } from "zod";
import { InputError, type Problem } from "../config/error.ts";
import type { Exposure } from "../config/exposure.ts";
import { publicTypes } from "../config/exposureRules.ts";
import {
  absolutePath,
  cidr,
  compareQuantities,
  dnsLabel,
  environmentName,
  fileName,
  port,
} from "../config/primitives.ts";
import type { StackConfig } from "../config/stack.ts";
import { strategy } from "../config/strategy.ts";
import { replicas, resources } from "../config/workloads.ts";
import { addressesIn } from "./content.ts";
import type { Application, Workload } from "./definition.ts";

function violations(key: string, value: unknown, schema: z.ZodType): Problem[] {
  const result = schema.safeParse(value);
  return result.success
    ? []
    : result.error.issues.map((issue) => ({
        key: [key, ...issue.path].join("."),
        value: issue.path.length === 0 ? value : undefined,
        rule: issue.message,
      }));
}

const portName = dnsLabel.max(15, "must be at most 15 characters");

function portProblems(key: string, ports: Workload["ports"]): Problem[] {
  const owners = new Map<number, string>();
  const problems: Problem[] = [];
  if (Object.keys(ports).length === 0)
    problems.push({ key: `${key}.ports`, rule: "must name at least one port" });
  for (const [name, number] of Object.entries(ports)) {
    problems.push(...violations(`${key}.ports.${name} (name)`, name, portName));
    problems.push(...violations(`${key}.ports.${name}`, number, port));
    const owner = owners.get(number);
    if (owner !== undefined)
      problems.push({
        key: `${key}.ports.${name}`,
        value: number,
        rule: `is used twice: port ${owner} has it too`,
        hint: "Give each port a number of its own",
      });
    owners.set(number, name);
  }
  return problems;
}

function checkProblems(key: string, workload: Workload): Problem[] {
  return (["readiness", "liveness", "metrics"] as const).flatMap((probe) => {
    const check = workload[probe];
    if (check === undefined) return [];
    const { path, port: name } = check;
    return [
      ...(name in workload.ports
        ? []
        : [
            {
              key: `${key}.${probe}.port`,
              value: name,
              rule: `must be one of the workload's ports: ${Object.keys(workload.ports).join(", ")}`,
            },
          ]),
      ...(path.startsWith("/")
        ? []
        : [{ key: `${key}.${probe}.path`, value: path, rule: "must begin with /" }]),
    ];
  });
}

/** Environment variables that every container gets from the stack. */
function reserved({ database }: Workload): string[] {
  return ["BUILD_NUMBER", "POD_NAME", ...(database === undefined ? [] : ["DATABASE_URL"])];
}

const drainSeconds = z
  .int("must be a whole number")
  .min(0, "must be 0 or more")
  .max(3600, "must be 3600 or less");

/** What a definition may have besides, and the rules for each. */
const choices = {
  resources,
  replicas: replicas.optional(),
  strategy: strategy.optional(),
  drainSeconds: drainSeconds.optional(),
} as const;

function environmentProblems(key: string, workload: Workload): Problem[] {
  const { env = {}, secretEnv = [] } = workload;
  const named = [
    ...Object.keys(env).map((name) => ({ at: `${key}.env.${name} (name)`, name })),
    ...secretEnv.map((name) => ({ at: `${key}.secretEnv`, name })),
  ];
  return [
    ...named.flatMap(({ at, name }) => violations(at, name, environmentName)),
    ...named
      .filter(({ name }) => reserved(workload).includes(name))
      .map(({ at, name }) => ({
        key: at,
        value: name,
        rule: "is set by Slipway",
        hint: "Choose another name",
      })),
    ...secretEnv
      .filter((name) => name in env)
      .map((name) => ({
        key: `${key}.secretEnv`,
        value: name,
        rule: "is in env too",
        hint: "Remove it from one of them",
      })),
  ];
}

function fileProblems(key: string, { config, writablePaths = [] }: Workload): Problem[] {
  return [
    ...(config === undefined ? [] : violations(`${key}.config.mountPath`, config.mountPath, absolutePath)),
    ...Object.keys(config?.files ?? {}).flatMap((file) =>
      violations(`${key}.config.files (name)`, file, fileName),
    ),
    ...writablePaths.flatMap((path) => violations(`${key}.writablePaths`, path, absolutePath)),
  ];
}

function referenceProblems(
  key: string,
  workload: Workload,
  application: Application,
  config: StackConfig,
): Problem[] {
  const addressed = [
    ...Object.entries(workload.env ?? {}),
    ...Object.entries(workload.config?.files ?? {}),
  ].flatMap(([where, value]) => addressesIn(value).map((name) => ({ where, name })));
  return [
    ...addressed.flatMap(({ where, name }) => {
      if (!(name in application))
        return [
          {
            key: `${key} (${where})`,
            value: name,
            rule: "takes the address of a workload that does not exist",
          },
        ];
      if (config.exposure[name]?.type === "ClusterIP") {
        return [
          {
            key: `slipway:exposure.${name}`,
            value: "ClusterIP",
            rule: `gives no public address, and ${where} of ${key} needs one`,
            hint: `Set slipway:exposure.${name}.type to ${publicTypes(config.platform)}`,
          },
        ];
      }
      return [];
    }),
    ...(workload.connectsTo ?? [])
      .filter((name) => !(name in application))
      .map((name) => ({
        key: `${key}.connectsTo`,
        value: name,
        rule: "is not a workload of this application",
      })),
  ];
}

function secretProblems(name: string, workload: Workload, config: StackConfig): Problem[] {
  const wanted = workload.secretEnv ?? [];
  const given = Object.keys(config.secrets[name] ?? {});
  return [
    ...wanted
      .filter((secret) => !given.includes(secret))
      .map((secret) => ({
        key: `slipway:secrets.${name}.${secret}`,
        rule: "is required",
        hint: `Set it by: pulumi config set --secret --path slipway:secrets.${name}.${secret}`,
      })),
    ...given
      .filter((secret) => !wanted.includes(secret))
      .map((secret) => ({
        key: `slipway:secrets.${name}.${secret}`,
        rule: "is not a secret that the workload asks for",
        hint: "Name it in the workload's secretEnv, or remove it",
      })),
  ];
}

function resourceProblems(key: string, name: string, workload: Workload, config: StackConfig): Problem[] {
  const override = config.workloads[name]?.resources;
  return (["cpu", "memory"] as const).flatMap((unit) => {
    const request = override?.requests?.[unit] ?? workload.resources.requests?.[unit];
    const limit = override?.limits?.[unit] ?? workload.resources.limits?.[unit];
    if (request === undefined || limit === undefined || compareQuantities(limit, request) >= 0) return [];
    const overridden = override === undefined ? key : `slipway:workloads.${name}`;
    return [
      {
        key: `${overridden}.resources.limits.${unit}`,
        value: limit,
        rule: `must not be less than requests.${unit} (${request})`,
        hint: "Raise the limit or lower the request",
      },
    ];
  });
}

/** With GitOps, what is committed has the addresses in it, before a cluster could tell them. */
function addressProblems(application: Application, { delivery, exposure }: StackConfig): Problem[] {
  if (delivery.kind !== "gitops") return [];
  const wanted = new Set(
    Object.values(application).flatMap(({ env = {}, config }) =>
      [...Object.values(env), ...Object.values(config?.files ?? {})].flatMap((value) => addressesIn(value)),
    ),
  );
  return [...wanted].flatMap((name): Problem[] => {
    const exposed = exposure[name] as Exposure;
    const key = `slipway:exposure.${name}`;
    const rule =
      "is required with delivery by gitops: others refer to this address, and it is committed before the Service exists";
    if (exposed.type === "NodePort" && exposed.nodePort === undefined)
      return [{ key: `${key}.nodePort`, rule }];
    if (exposed.type === "LoadBalancer" && exposed.dnsLabel === undefined)
      return [
        {
          key: `${key}.dnsLabel`,
          rule,
          hint: "Where the load balancer can have no name, use an Ingress with a host, or deliver by push",
        },
      ];
    return [];
  });
}

/**
 * Checks an application's definitions together with the stack's choices, before anything is created.
 *
 * @throws InputError with every problem there is
 */
export function checkApplication(application: Application, config: StackConfig): void {
  const problems = Object.entries(application).flatMap(([name, workload]) => {
    const key = `infra/application.ts: ${name}`;
    const definition = [
      ...violations(`${key} (name)`, name, dnsLabel),
      ...portProblems(key, workload.ports),
      ...checkProblems(key, workload),
      ...Object.entries(choices).flatMap(([field, schema]) =>
        violations(`${key}.${field}`, workload[field as keyof typeof choices], schema),
      ),
      ...(workload.egress ?? []).flatMap((destination, index) => [
        ...violations(`${key}.egress[${index}].port`, destination.port, port),
        ...violations(`${key}.egress[${index}].cidr`, destination.cidr, cidr),
      ]),
      ...environmentProblems(key, workload),
      ...fileProblems(key, workload),
    ];
    if (definition.length > 0) return definition;
    return [
      ...resourceProblems(key, name, workload, config),
      ...referenceProblems(key, workload, application, config),
      ...secretProblems(name, workload, config),
    ];
  });
  const all = problems.length > 0 ? problems : addressProblems(application, config);
  if (all.length > 0) throw new InputError(all);
}
