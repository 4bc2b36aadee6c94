import { rmSync } from "node:fs";
import { requireRoot } from "../environment.ts";
import { runSteps } from "../render.ts";
import { resolveSettings } from "../settings.ts";
import { stopTasks } from "../stop.ts";
import { withLock } from "./lock.ts";

/** Removes everything that start made. */
export async function stop({ cache = false }: { readonly cache?: boolean }): Promise<void> {
  requireRoot("npm stop");
  const settings = resolveSettings(process.env);
  await withLock("stop", async () => {
    await runSteps(stopTasks(settings), {});
    if (cache) rmSync(settings.cacheDir, { recursive: true, force: true });
  });
  console.log(
    cache ? "all gone" : `all gone; built tools stay in ${settings.cacheDir} (--cache removes them)`,
  );
}
