import { isEmbedded } from "../../infra/config/platform.ts";
import { destroyTasks, readLocalStack } from "../deliver/index.ts";
import type { Way } from "../deliver/way.ts";
import { runSteps } from "../render.ts";
import { resolveSettings } from "../settings.ts";
import { withLock } from "./lock.ts";

/** Deletes everything that a stack has in the cluster; the environment keeps running. */
export async function destroy({
  stack,
  deliver,
}: {
  readonly stack: string;
  readonly deliver: Way;
}): Promise<void> {
  const config = readLocalStack(stack);
  const embedded = isEmbedded(config.platform);
  const environmentState = embedded ? resolveSettings(process.env).stateDir : undefined;
  const run = async () => {
    await runSteps(destroyTasks(config, { stack, way: deliver, environmentState }), {});
  };
  await (embedded ? withLock("destroy", run) : run());
}
