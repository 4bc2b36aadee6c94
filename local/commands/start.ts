import type { DeliveryConfig } from "../../infra/config/delivery.ts";
import { isEmbedded } from "../../infra/config/platform.ts";
import type { Way } from "../deliver/way.ts";
import { type StartOptions as EnvironmentOptions, type StartContext, startTasks } from "../environment.ts";
import { requireRoot } from "../machine.ts";
import { elapsed, runSteps } from "../render.ts";
import { resolveSettings } from "../settings.ts";
import { withLock } from "./lock.ts";

export interface StartOptions {
  readonly stack: string;
  readonly deliver: Way;
  /** How the workloads get into the cluster, where it is not as the stack's configuration says. */
  readonly delivery?: DeliveryConfig["kind"];
  readonly environmentOnly?: boolean;
}

async function startEnvironment(wanted: EnvironmentOptions): Promise<void> {
  requireRoot("npm start");
  const begin = performance.now();
  const { compiling = 0, started = 0 } = await runSteps<StartContext>(
    startTasks(resolveSettings(process.env), wanted),
    {},
  );
  const total = performance.now() - begin;
  if (started > 0)
    console.log(
      `Environment up in ${elapsed(total)}: ${elapsed(compiling)} for tools, ${elapsed(total - compiling)} for everything else`,
    );
}

/** Brings the embedded environment up where the stack uses it, and delivers the stack. */
export async function start({
  stack,
  deliver,
  delivery,
  environmentOnly = false,
}: StartOptions): Promise<void> {
  if (environmentOnly) {
    await withLock("start", () => startEnvironment({ gitops: delivery === "gitops" }));
    return;
  }
  const { deliveryTasks, deliverySummary, needsRollouts, readLocalStack } = await import(
    "../deliver/index.ts"
  );
  const config = readLocalStack(stack, delivery);
  const embedded = isEmbedded(config.platform);
  const run = async () => {
    if (embedded)
      await startEnvironment({
        gitops: config.delivery.kind === "gitops",
        rollouts: needsRollouts(config),
      });
    const environmentState = embedded ? resolveSettings(process.env).stateDir : undefined;
    const context = await runSteps(deliveryTasks({ stack, way: deliver, delivery, environmentState }), {});
    console.log(`\n${deliverySummary(context)}`);
  };
  await (embedded ? withLock("start", run) : run());
}
