import { isEmbedded, type Way } from "../deliver/way.ts";
import { requireRoot, type StartContext, startTasks } from "../environment.ts";
import { elapsed, runSteps } from "../render.ts";
import { resolveSettings } from "../settings.ts";
import { withLock } from "./lock.ts";

export interface StartOptions {
  readonly stack: string;
  readonly deliver: Way;
  readonly environmentOnly?: boolean;
}

async function startEnvironment(): Promise<void> {
  requireRoot("npm start");
  const begin = performance.now();
  const { compiling = 0, started = 0 } = await runSteps<StartContext>(
    startTasks(resolveSettings(process.env)),
    {},
  );
  const total = performance.now() - begin;
  if (started > 0)
    console.log(
      `Environment up in ${elapsed(total)}: ${elapsed(compiling)} for tools, ${elapsed(total - compiling)} for everything else`,
    );
}

/** Brings the embedded environment up where the stack uses it, and delivers the stack. */
export async function start({ stack, deliver, environmentOnly = false }: StartOptions): Promise<void> {
  if (environmentOnly) {
    await withLock("start", startEnvironment);
    return;
  }
  const { deliveryTasks, deliverySummary, readLocalStack } = await import("../deliver/index.ts");
  const embedded = isEmbedded(readLocalStack(stack));
  const run = async () => {
    if (embedded) await startEnvironment();
    const environmentState = embedded ? resolveSettings(process.env).stateDir : undefined;
    const context = await runSteps(deliveryTasks({ stack, way: deliver, environmentState }), {});
    console.log(`\n${deliverySummary(context)}`);
  };
  await (embedded ? withLock("start", run) : run());
}
