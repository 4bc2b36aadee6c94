import { rmSync } from "node:fs";
import { Command } from "commander";
import { requireRoot, type StartContext, startTasks } from "./environment.ts";
import { explain } from "./fault.ts";
import { takeLock } from "./lock.ts";
import { elapsed, runSteps } from "./render.ts";
import { resolveSettings } from "./settings.ts";
import { environmentStatus, formatStatus } from "./status.ts";
import { stopTasks } from "./stop.ts";

const program = new Command("local").description(
  "The embedded environment: Kubernetes, registry and Docker on this machine",
);

program
  .command("start")
  .description("bring the environment up, or look that it is")
  .action(async () => {
    requireRoot("npm start");
    const settings = resolveSettings(process.env);
    const lock = await takeLock(settings.stateDir, "start", waiting);
    const begin = performance.now();
    const context = await runSteps<StartContext>(startTasks(settings), {});
    await lock.release();
    console.log(summary(context, performance.now() - begin));
  });

program
  .command("stop")
  .description("remove everything that start made, but for the cache of built tools")
  .option("--cache", "remove that cache too")
  .action(async (options: { cache?: boolean }) => {
    requireRoot("npm stop");
    const settings = resolveSettings(process.env);
    const lock = await takeLock(settings.stateDir, "stop", waiting);
    await runSteps(stopTasks(settings), {});
    if (options.cache === true) rmSync(settings.cacheDir, { recursive: true, force: true });
    await lock.release();
    console.log(
      options.cache === true
        ? "all gone"
        : `all gone; built tools stay in ${settings.cacheDir} (--cache removes them)`,
    );
  });

program
  .command("status")
  .description("tell what runs; exits 1 unless everything does")
  .option("--json", "as JSON")
  .action(async (options: { json?: boolean }) => {
    requireRoot("npm run status");
    const status = await environmentStatus(resolveSettings(process.env));
    console.log(options.json === true ? JSON.stringify(status, undefined, 2) : formatStatus(status));
    process.exitCode = status.state === "up" ? 0 : 1;
  });

function waiting(holder: string): void {
  console.log(`waiting for ${holder}, which is at work on the same environment`);
}

function summary(context: StartContext, total: number): string {
  const compiling = context.compiling ?? 0;
  const split = `${elapsed(compiling)} for tools, ${elapsed(total - compiling)} for everything else`;
  return `up in ${elapsed(total)}: ${split}; ${context.started ?? 0} processes started`;
}

try {
  await program.parseAsync();
} catch (error) {
  console.error(explain(error));
  process.exit(1);
}
