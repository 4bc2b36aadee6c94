import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import {
  ApiException,
  CoreV1Api,
  KubeConfig,
  type KubernetesObject,
  KubernetesObjectApi,
  loadYaml,
  PatchStrategy,
} from "@kubernetes/client-node";
import { Fault } from "../fault.ts";

/** A Kubernetes object as the API server gives and takes it. */
export interface KubeObject extends KubernetesObject {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; [key: string]: unknown };
}

/** A change that was made of an object's state before somebody else changed it; read it again, and try again. */
export class Conflict extends Fault {}

/** What applying an object did. */
export type Change = "created" | "changed" | "unchanged";

/** Owner of the fields that direct delivery sets, in the objects' managedFields. */
const fieldManager = "slipway";

function status(error: unknown): number | undefined {
  return error instanceof ApiException ? error.code : undefined;
}

/** Whether there is no such object: it is not there, or the API server does not serve its kind. */
function isAbsent(error: unknown): boolean {
  if (error instanceof ApiException) return error.code === 404;
  // The client's own finding; it has no type.
  return error instanceof Error && error.message.startsWith("Unrecognized API version and kind");
}

/** The API server's own message, which names the field and the rule. */
function reason(error: unknown): string {
  if (!(error instanceof ApiException)) return error instanceof Error ? error.message : String(error);
  const body: unknown = typeof error.body === "string" ? JSON.parse(error.body) : error.body;
  return (body as { message?: string } | undefined)?.message ?? `HTTP ${error.code}`;
}

/** An object without what the cluster itself writes into it at any time. */
function definition({ status: _, metadata, ...rest }: KubeObject & { readonly status?: unknown }) {
  const { resourceVersion: __, managedFields: ___, ...own } = metadata;
  return { ...rest, metadata: own };
}

/** `Deployment shop/api`. */
export function nameOf({ kind, metadata }: KubeObject): string {
  return `${kind} ${metadata.namespace === undefined ? "" : `${metadata.namespace}/`}${metadata.name}`;
}

/** A cluster, as far as delivery needs it. */
export class Cluster {
  readonly core: CoreV1Api;
  readonly #objects: KubernetesObjectApi;

  /** @param kubeconfig content of a kubeconfig */
  constructor(kubeconfig: string) {
    const config = new KubeConfig();
    config.loadFromString(kubeconfig);
    this.core = config.makeApiClient(CoreV1Api);
    this.#objects = KubernetesObjectApi.makeApiClient(config);
  }

  /** Reads an object, or nothing where there is none. */
  async read(object: KubeObject): Promise<KubeObject | undefined> {
    try {
      return await this.#objects.read<KubeObject>(object);
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw error;
    }
  }

  /**
   * Server-side apply. Takes over fields that others set: the program's definition is what counts.
   *
   * @param manager owner of the fields
   * @throws Fault with the API server's message when it refuses the object
   */
  async apply(
    object: KubeObject,
    manager: string = fieldManager,
  ): Promise<{ readonly live: KubeObject; readonly change: Change }> {
    const before = await this.read(object);
    try {
      const live = await this.#objects.patch<KubeObject>(
        // The client names fields otherwise that are words of JavaScript (from, default), and would leave them out as they
        // are. JSON is YAML.
        loadYaml<KubeObject>(JSON.stringify(object)),
        undefined,
        undefined,
        manager,
        true,
        PatchStrategy.ServerSideApply,
      );
      const change =
        before === undefined
          ? "created"
          : isDeepStrictEqual(definition(before), definition(live))
            ? "unchanged"
            : "changed";
      return { live, change };
    } catch (error) {
      throw new Fault({ what: nameOf(object), rule: `was refused by the cluster: ${reason(error)}` });
    }
  }

  /** Waits until the API server serves the kind that a CustomResourceDefinition defines. */
  async established(definition: KubeObject): Promise<void> {
    for (;;) {
      const live = (await this.read(definition)) as
        | { readonly status?: { readonly conditions?: readonly { type: string; status: string }[] } }
        | undefined;
      const conditions = live?.status?.conditions ?? [];
      if (conditions.some(({ type, status }) => type === "Established" && status === "True")) return;
      await sleep(50);
    }
  }

  /**
   * Merges a patch (RFC 7386) into an object, or does nothing where there is none.
   *
   * @throws Conflict when the patch names a resourceVersion that is not the object's any more
   */
  async merge(patch: KubeObject): Promise<KubeObject | undefined> {
    try {
      return await this.#objects.patch<KubeObject>(
        patch,
        undefined,
        undefined,
        fieldManager,
        undefined,
        PatchStrategy.MergePatch,
      );
    } catch (error) {
      if (isAbsent(error)) return undefined;
      const parts = { what: nameOf(patch), rule: `could not be changed: ${reason(error)}` };
      throw status(error) === 409 ? new Conflict(parts) : new Fault(parts);
    }
  }

  /** The objects of a kind that carry all these labels; none where the cluster does not know the kind. */
  async list(
    apiVersion: string,
    kind: string,
    labels: { readonly [key: string]: string },
    namespace?: string,
  ): Promise<KubeObject[]> {
    const selector = Object.entries(labels)
      .map(([key, value]) => `${key}=${value}`)
      .join(",");
    try {
      const { items } = await this.#objects.list<KubeObject>(
        apiVersion,
        kind,
        namespace,
        undefined,
        undefined,
        undefined,
        undefined,
        selector,
      );
      return items.map((item) => ({ ...item, apiVersion, kind }));
    } catch (error) {
      if (isAbsent(error)) return [];
      throw error;
    }
  }

  /** Deletes an object and what it owns. One that is gone already is no error. */
  async delete(object: KubeObject): Promise<void> {
    try {
      await this.#objects.delete(object, undefined, undefined, undefined, undefined, "Background");
    } catch (error) {
      if (!isAbsent(error))
        throw new Fault({ what: nameOf(object), rule: `could not be deleted: ${reason(error)}` });
    }
  }
}
