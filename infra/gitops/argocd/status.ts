import type { KubeObject } from "../../cluster/cluster.ts";

/** An object of an Application, with how it compares with the repository. */
export interface ResourceStatus {
  readonly group?: string;
  readonly version?: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  readonly status?: string;
  readonly health?: { readonly status?: string; readonly message?: string };
}

/** What became of an object in a sync. */
export interface ResourceResult {
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  readonly status?: string;
  readonly message?: string;
  readonly hookPhase?: string;
}

/** The status of an Application, as far as a delivery looks at it. */
export interface ApplicationStatus {
  readonly reconciledAt?: string;
  readonly sync?: { readonly status?: string; readonly revision?: string };
  readonly health?: { readonly status?: string };
  readonly conditions?: readonly { readonly type: string; readonly message: string }[];
  readonly history?: readonly unknown[];
  readonly resources?: readonly ResourceStatus[];
  readonly operationState?: {
    readonly phase?: string;
    readonly finishedAt?: string;
    readonly message?: string;
    readonly retryCount?: number;
    readonly operation?: { readonly sync?: { readonly revision?: string } };
    readonly syncResult?: { readonly revision?: string; readonly resources?: readonly ResourceResult[] };
  };
}

export function statusOf(application: KubeObject): ApplicationStatus {
  return (application as { readonly status?: ApplicationStatus }).status ?? {};
}

/** Revision that the running or last operation syncs. */
export function operationRevision({ operationState }: ApplicationStatus): string | undefined {
  return operationState?.syncResult?.revision ?? operationState?.operation?.sync?.revision;
}

/** `Synced, Healthy` */
export function summaryOf({ sync, health, operationState }: ApplicationStatus): string {
  const running = operationState?.phase === "Running" ? `, syncing: ${operationState.message ?? ""}` : "";
  return `${sync?.status ?? "Unknown"}, ${health?.status ?? "Unknown"}${running}`;
}
