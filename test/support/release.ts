import * as pulumi from "@pulumi/pulumi";
import { parseStackConfig } from "../../infra/config/parse.ts";
import { buildWorkload, type WorkloadObject } from "../../infra/workloads/build.ts";
import type { Application, Workload } from "../../infra/workloads/definition.ts";
import {
  type Release,
  type RunnableImage,
  releaseOf,
  type Surroundings,
} from "../../infra/workloads/release.ts";

/** The smallest definition there is. */
export const minimal: Workload = {
  image: { context: "app/api" },
  ports: { http: 8080 },
  readiness: { path: "/readyz", port: "http" },
  liveness: { path: "/healthz", port: "http" },
  resources: { requests: { cpu: "50m", memory: "64Mi" } },
};

export const image: RunnableImage = {
  reference: `registry.example/shop/api@sha256:${"a".repeat(64)}`,
  version: "4711",
};

/** A stack's configuration but for its platform. */
export type Config = { readonly [key: string]: unknown };

export interface Given {
  readonly application: Application;
  readonly name?: string;
  readonly config?: Config;
  readonly image?: RunnableImage;
  readonly surroundings?: Partial<Surroundings>;
}

/** The release of a workload in the stack `dev` of the project `shop`. */
export function release({
  application,
  name = "api",
  config = {},
  image: runnable = image,
  surroundings,
}: Given): Release {
  const parsed = parseStackConfig(
    { platform: { kind: "local", context: "own", registry: { server: "registry.example" } }, ...config },
    { stack: "dev", workloads: Object.keys(application) },
  );
  return releaseOf(application, name, parsed, runnable, {
    project: "shop",
    stack: "dev",
    namespace: "team",
    addresses: Object.fromEntries(
      Object.keys(application).map((other) => [other, `http://${other}.example`]),
    ),
    ...surroundings,
  });
}

/** The objects of the workload `api`, the only one of its application. */
export function objectsOf(
  workload: Partial<Workload> = {},
  config?: Config,
  surroundings?: Partial<Surroundings>,
) {
  return buildWorkload(
    release({
      application: { api: { ...minimal, ...workload } },
      ...(config === undefined ? {} : { config }),
      ...(surroundings === undefined ? {} : { surroundings }),
    }),
  );
}

type OfKind<Kind> = Extract<WorkloadObject, { kind: Kind }>;

/** The object of a kind. */
export function find<Kind extends WorkloadObject["kind"]>(
  objects: readonly WorkloadObject[],
  kind: Kind,
): OfKind<Kind> {
  const found = objects.find((object) => object.kind === kind);
  if (found === undefined) throw new Error(`there is no ${kind}`);
  return found as OfKind<Kind>;
}

/** A value with its Outputs resolved, and with what is secret marked. */
export async function resolved(value: unknown): Promise<unknown> {
  if (pulumi.Output.isInstance(value)) {
    const inner = await new Promise((resolve) => value.apply(resolve));
    return (await pulumi.isSecret(value)) ? { "[secret]": await resolved(inner) } : resolved(inner);
  }
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return Promise.all(value.map(resolved));
  const entries = Object.entries(value).map(async ([key, inner]) => [key, await resolved(inner)] as const);
  return Object.fromEntries(await Promise.all(entries));
}
