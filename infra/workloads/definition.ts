import type { StrategyInput } from "../config/strategy.ts";
import type { Resources } from "../config/workloads.ts";

/** The public address of another workload of the application, known once its Service is. */
export interface UrlOf {
  readonly $urlOf: string;
}

/** Stands for the public address of the workload `name`, such as `http://203.0.113.7`, wherever a value may stand. */
export function urlOf(name: string): UrlOf {
  return { $urlOf: name };
}

/** JSON with addresses in it. */
export type ConfigValue =
  | string
  | number
  | boolean
  | null
  | UrlOf
  | readonly ConfigValue[]
  | { readonly [key: string]: ConfigValue };

/** Files mounted into the container from a ConfigMap. A change of any of them rolls the pods. */
export interface ConfigFiles {
  /** Directory that the files appear in. What the image has there is hidden. */
  readonly mountPath: string;
  /** Content by file name: a string as it is, anything else as JSON. */
  readonly files: { readonly [file: string]: ConfigValue };
}

/** An HTTP request that answers 200–399 when all is well. */
export interface HttpCheck {
  readonly path: string;
  /** Name of one of the workload's ports. */
  readonly port: string;
}

/** Metrics in Prometheus' text format. */
export interface Metrics {
  readonly path: string;
  /** Name of one of the workload's ports. */
  readonly port: string;
  /**
   * Name of the histogram of requests, in seconds, with a label `status_code`, such as
   * `http_request_duration_seconds`. With it, errors and latency are watched too.
   */
  readonly requests?: string;
}

/** Protections that are on unless they are named here. */
export interface Exemptions {
  /** Mount a token for the Kubernetes API into the pod. */
  readonly serviceAccountToken?: true;
  /** Let the container write to its root file system. Prefer `writablePaths`. */
  readonly writableRootFilesystem?: true;
  /** Let every pod of the cluster connect, and this one to everywhere. */
  readonly noNetworkPolicy?: true;
  /** Let all pods be evicted at once. */
  readonly noDisruptionBudget?: true;
}

/** A service of the application: one image, run as replicas behind one Service. Plain data. */
export interface Workload {
  readonly image: {
    /** Build context, relative to the project's root. */
    readonly context: string;
    /** Default: `Dockerfile` in the context. */
    readonly dockerfile?: string;
    /** Build arguments besides BASE_IMAGE. */
    readonly args?: { readonly [name: string]: string };
  };
  /** Container ports by name. The first one is the one that is exposed. */
  readonly ports: { readonly [name: string]: number };
  /** Environment variables besides BUILD_NUMBER and POD_NAME, which every container gets. */
  readonly env?: { readonly [name: string]: string | UrlOf };
  /** Names of environment variables whose values every stack must set below `slipway:secrets`. */
  readonly secretEnv?: readonly string[];
  readonly config?: ConfigFiles;
  /** Empty directories that the container may write to. */
  readonly writablePaths?: readonly string[];
  /** Ready to serve: decides who gets traffic. */
  readonly readiness: HttpCheck;
  /** Alive: a pod that is not is restarted. */
  readonly liveness: HttpCheck;
  /** What Prometheus scrapes, in stacks that have one (`slipway:observability`). */
  readonly metrics?: Metrics;
  /** Number of pods. Default: 2. */
  readonly replicas?: number;
  /** How new pods take the place of old ones. Default: rolling. */
  readonly strategy?: StrategyInput;
  readonly resources: Resources;
  /** A PostgreSQL database of its own: containers get its URL as DATABASE_URL. */
  readonly database?: {
    /** Command of the image that brings the schema up to date, run to its end before new pods start. */
    readonly migrate: readonly [string, ...string[]];
  };
  /** Workloads of this application that this one connects to. */
  readonly connectsTo?: readonly string[];
  /** Destinations outside the application, by CIDR and port. */
  readonly egress?: readonly { readonly cidr: string; readonly port: number }[];
  /** Seconds for requests in flight to end after the pod has left the Service. Default: 20. */
  readonly drainSeconds?: number;
  readonly exemptions?: Exemptions;
}

/** The application: its workloads by name, a DNS label each. */
export type Application = { readonly [name: string]: Workload };

/** Keeps the workloads' names in the type, so that a misspelt one does not compile. */
export function defineApplication<const Names extends string>(
  workloads: { readonly [Name in Names]: Workload },
): { readonly [Name in Names]: Workload } {
  return workloads;
}
