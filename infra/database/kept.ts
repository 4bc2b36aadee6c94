import type { Cluster } from "../platform/platform.ts";
import { serverName } from "../workloads/database.ts";
import { keepOnDestroy, stackLabels } from "../workloads/labels.ts";
import { claimName } from "./volume.ts";

interface KeptFor {
  readonly project: string;
  readonly stack: string;
  readonly namespace: string;
}

/** What a delivery says of objects that are there and not its own. */
export interface TakeOver extends KeptFor {
  /** Take over objects that another owner has made. */
  readonly takeOver: boolean;
  /** Whether the stack's volume outlives it. */
  readonly keep: boolean;
}

/** Whether objects are taken over: everything where it is asked for, else only what the stack itself has left behind. */
export async function takesOver(
  { read, disposable }: Pick<Cluster, "disposable"> & { readonly read: NonNullable<Cluster["read"]> },
  context: TakeOver,
): Promise<boolean> {
  // A disposable cluster's objects are never another owner's.
  return context.takeOver || (!disposable && context.keep && (await hasOutlived(read, context)));
}

/**
 * Whether a volume has outlived the stack, and its key and namespace with it: they are the stack's in the cluster, and
 * Pulumi's state may know them no more. Tells by the server, which is made last.
 */
async function hasOutlived(
  read: NonNullable<Cluster["read"]>,
  { project, stack, namespace }: KeptFor,
): Promise<boolean> {
  const claim = (await read("v1", "PersistentVolumeClaim", namespace, claimName)) as
    | { readonly metadata: { readonly labels?: object; readonly annotations?: object } }
    | undefined;
  if (claim === undefined) return false;
  const { labels, annotations } = claim.metadata;
  const found: { readonly [name: string]: unknown } = { ...labels, ...annotations };
  const marks = Object.entries({ ...stackLabels({ project, stack }), ...keepOnDestroy });
  if (!marks.every(([name, value]) => found[name] === value)) return false;
  return (await read("apps/v1", "StatefulSet", namespace, serverName)) === undefined;
}
