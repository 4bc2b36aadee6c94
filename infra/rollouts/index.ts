import type * as pulumi from "@pulumi/pulumi";
import { readRolloutsDescriptor } from "../../local/rollouts.ts";
import type { Stack } from "../config/load.ts";
import { type RolloutsInstall, rolloutsInstall } from "../config/strategy.ts";
import type { Platform } from "../platform/index.ts";
import type { Application } from "../workloads/definition.ts";
import { stackLabels } from "../workloads/labels.ts";
import { isProgressive } from "../workloads/release.ts";

/** How Argo Rollouts is installed; undefined where it is there already. */
function installOf({ config }: Stack): RolloutsInstall | undefined {
  const { install } = config.rollouts;
  if (install === null || (install === undefined && config.platform.kind === "shared")) return undefined;
  const chosen = install ?? rolloutsInstall.parse({});
  const embedded = config.platform.kind === "local" && config.platform.context === undefined;
  if (!embedded || chosen.manifests !== undefined || chosen.version !== undefined) return chosen;
  return { ...chosen, ...readRolloutsDescriptor() };
}

/** Installs Argo Rollouts where a workload needs it. Gives what must be there before such a workload is. */
export async function provideRollouts(
  application: Application,
  stack: Stack,
  { cluster }: Platform,
): Promise<readonly pulumi.Resource[]> {
  const install = isProgressive(application, stack.config) ? installOf(stack) : undefined;
  if (install === undefined) return [];
  const [{ ArgoRollouts }, { loadRolloutsManifests }] = await Promise.all([
    import("./install.ts"),
    import("./manifests.ts"),
  ]);
  const { project, name } = stack;
  const labels = stackLabels({ project, stack: name });
  const manifests = await loadRolloutsManifests(install);
  const args = { install, manifests, labels, project, stack: name };
  return new ArgoRollouts("rollouts-controller", args, { provider: cluster.provider }).objects;
}
