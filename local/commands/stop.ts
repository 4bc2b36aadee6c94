import { rmSync } from "node:fs";
import { requireRoot } from "../machine.ts";
import { runSteps } from "../render.ts";
import { resolveSettings } from "../settings.ts";
import { stopTasks } from "../stop.ts";
import { withLock } from "./lock.ts";

interface Options {
  readonly cache?: boolean;
  readonly keepData?: boolean;
}

/** What the command leaves, in a line. */
function outcome({ cache, keepData }: Options, cacheDir: string, stateDir: string): string {
  if (keepData) return `stopped; \`npm start\` goes on with ${stateDir}`;
  return cache ? "all gone" : `all gone; built tools stay in ${cacheDir} (--cache removes them)`;
}

/** Removes everything that start made, or all but its data. */
export async function stop(options: Options): Promise<void> {
  requireRoot("npm stop");
  const settings = resolveSettings(process.env);
  await withLock("stop", async () => {
    await runSteps(stopTasks(settings, { keepData: options.keepData ?? false }), {});
    if (options.cache) rmSync(settings.cacheDir, { recursive: true, force: true });
  });
  console.log(outcome(options, settings.cacheDir, settings.stateDir));
}
