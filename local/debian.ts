import { aptSources, aptSuite } from "./images.ts";
import { buildMark } from "./process.ts";
import { run } from "./run.ts";
import type { Settings } from "./settings.ts";

/**
 * Unpacks packages of the machine's distribution, with what they depend on, into an empty directory. None of their
 * scripts is run: quick, and the same on every machine.
 */
export async function unpackPackages(
  settings: Settings,
  packages: readonly string[],
  root: string,
): Promise<void> {
  const source = aptSources();
  await run(
    "/usr/bin/mmdebstrap",
    [
      "--quiet",
      "--mode=root",
      "--variant=extract",
      `--include=${packages.join(",")}`,
      aptSuite(),
      root,
      source,
    ],
    { env: buildMark(settings), fix: `check that apt reaches the sources in ${source}` },
  );
}
