import type * as pulumi from "@pulumi/pulumi";
import type { Stack } from "../config/load.ts";
import type { Controllers } from "../controllers.ts";
import type { Platform } from "../platform/index.ts";
import { stackLabels } from "../workloads/labels.ts";

/** Installs Argo Rollouts where a workload needs it. Gives what must be there before such a workload is. */
export async function provideRollouts(
  { rollouts }: Controllers,
  { project, name }: Stack,
  { cluster }: Platform,
): Promise<readonly pulumi.Resource[]> {
  if (rollouts === undefined) return [];
  const { ArgoRollouts } = await import("./install.ts");
  const args = { ...rollouts, labels: stackLabels({ project, stack: name }), project, stack: name };
  return new ArgoRollouts("rollouts-controller", args, { provider: cluster.provider }).objects;
}
