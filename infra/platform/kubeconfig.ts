import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, isAbsolute, join, resolve } from "node:path";
import { parse, stringify } from "yaml";
import { InputError } from "../config/error.ts";
import { fromRoot } from "../projectRoot.ts";

/** The parts of a kubeconfig that matter here; everything else is passed on as it is. */
interface KubeconfigFile {
  readonly clusters?: readonly { readonly name: string; readonly cluster: Record<string, unknown> }[];
  readonly users?: readonly { readonly name: string; readonly user: Record<string, unknown> }[];
  readonly contexts?: readonly {
    readonly name: string;
    readonly context: { readonly cluster: string; readonly user: string };
  }[];
}

/** One context of a kubeconfig, free of every file that it named and of every other cluster's credentials. */
export interface KubeconfigContext {
  /** A kubeconfig in YAML with this context alone. Secret. */
  readonly content: string;
  /** URL of the API server. */
  readonly server: string;
  /** Stays the same when only the client's credentials change. */
  readonly clusterIdentifier: string;
}

function absolute(path: string): string {
  return path.startsWith("~/") ? join(homedir(), path.slice(2)) : fromRoot(path);
}

/** Files in which kubectl, run in the project's root, would look for a context. */
export function kubeconfigFiles(path: string | undefined, env: NodeJS.ProcessEnv): string[] {
  if (path !== undefined) return [absolute(path)];
  const fromEnv = (env.KUBECONFIG ?? "").split(delimiter).filter((file) => file !== "");
  return fromEnv.length > 0 ? fromEnv.map(fromRoot) : [join(homedir(), ".kube/config")];
}

function readReferenced(key: string, path: string): string {
  try {
    return readFileSync(path).toString("base64");
  } catch (error) {
    throw new InputError({
      key: `kubeconfig: ${key}`,
      value: path,
      rule: `must be a file that can be read (${(error as NodeJS.ErrnoException).code})`,
    });
  }
}

/** Replaces every `key: path` of an entry by `key-data: content`, so that the kubeconfig stands on its own. */
function inline(entry: Record<string, unknown>, directory: string): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(entry).map(([key, value]) => {
      if (
        !["certificate-authority", "client-certificate", "client-key"].includes(key) ||
        typeof value !== "string"
      )
        return [key, value];
      return [`${key}-data`, readReferenced(key, isAbsolute(value) ? value : resolve(directory, value))];
    }),
  );
}

function readKubeconfigFile(file: string): KubeconfigFile | null {
  try {
    return parse(readFileSync(file, "utf8")) as KubeconfigFile | null;
  } catch (error) {
    // The first line only: the rest of a YAML error quotes the file, which holds credentials.
    throw new InputError({
      key: "slipway:platform.kubeconfig",
      value: file,
      rule: `must be a kubeconfig in YAML: ${(error as Error).message.split("\n")[0]}`,
    });
  }
}

/**
 * Reads one context from the first file that has it.
 *
 * @param files paths in the order of preference
 * @throws InputError when no file has the context, or it names a cluster or user that is missing
 */
export function readKubeconfigContext(files: readonly string[], name: string): KubeconfigContext {
  const known: string[] = [];
  for (const file of files.filter((candidate) => existsSync(candidate))) {
    const config = readKubeconfigFile(file);
    known.push(...(config?.contexts ?? []).map((entry) => entry.name));
    const context = config?.contexts?.find((entry) => entry.name === name)?.context;
    if (context === undefined) continue;
    const cluster = config?.clusters?.find((entry) => entry.name === context.cluster)?.cluster;
    const user = config?.users?.find((entry) => entry.name === context.user)?.user;
    if (cluster === undefined || user === undefined) {
      throw new InputError({
        key: "slipway:platform.context",
        value: name,
        rule: `names a ${cluster === undefined ? "cluster" : "user"} that ${file} does not have`,
      });
    }
    const standalone = inline(cluster, dirname(file));
    const server = String(standalone.server);
    const caData = standalone["certificate-authority-data"];
    const ca = typeof caData === "string" ? Buffer.from(caData, "base64").toString() : undefined;
    return {
      content: stringify({
        apiVersion: "v1",
        kind: "Config",
        "current-context": name,
        clusters: [{ name: context.cluster, cluster: standalone }],
        users: [{ name: context.user, user: inline(user, dirname(file)) }],
        contexts: [{ name, context }],
      }),
      server,
      clusterIdentifier: createHash("sha256")
        .update(`${server}\n${ca ?? ""}`)
        .digest("hex")
        .slice(0, 16),
    };
  }
  throw new InputError({
    key: "slipway:platform.context",
    value: name,
    rule: `is not in ${files.join(", ")}`,
    hint:
      known.length > 0
        ? `The contexts there are: ${known.join(", ")}`
        : "No kubeconfig was found there: set slipway:platform.kubeconfig",
  });
}
