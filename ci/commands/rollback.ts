import type { Release } from "../../infra/config/images.ts";
import { Fault } from "../../infra/fault.ts";
import { deployRelease } from "../deploy.ts";
import { hasImage } from "../images/registry.ts";
import { Pulumi } from "../pulumi.ts";
import { actor, describeRelease, sameImages } from "../release.ts";
import { type Outputs, type PastRelease, Stack } from "../stack.ts";
import { type CommonOptions, printResult, steps } from "../steps.ts";
import { deployed } from "./deploy.ts";

export interface RollbackOptions extends CommonOptions {
  readonly stack: string;
  /** Build to put back. Without it, the builds that there are. */
  readonly to?: string;
  readonly wait: number;
  readonly smoke: number;
}

/** Each build once, as it was first put there; the last one first. */
function distinct(releases: readonly PastRelease[]): PastRelease[] {
  return releases.filter(
    (release, index) =>
      !releases
        .slice(index + 1)
        .some(({ build, workloads }) => build === release.build && sameImages(workloads, release.workloads)),
  );
}

function list(stack: string, releases: readonly PastRelease[], images: Outputs["images"]): string {
  if (releases.length === 0) return `Stack ${stack} was never given a build.`;
  const blocks = releases.map(({ at, build, commit, by, forced, workloads }) => {
    const runs = sameImages(workloads, images) ? "  (runs)" : "";
    const why = forced === undefined ? "" : `, forced: ${forced}`;
    const head = `${build}  ${commit?.slice(0, 10) ?? "no commit"}  ${at}  ${by ?? "unknown"}${why}${runs}`;
    return [head, ...Object.values(workloads).map(({ reference }) => `    ${reference}`)].join("\n");
  });
  return `${blocks.join("\n")}\n\nPut one back: npm run rollback -- --stack ${stack} --to BUILD`;
}

/** @throws Fault when the stack never ran that build, or the registry has lost one of its images */
async function requireRelease(
  stack: Stack,
  build: string,
  releases: readonly PastRelease[],
  { platform }: Outputs,
): Promise<Release> {
  const found = releases.find((release) => release.build === build);
  if (found === undefined) {
    throw new Fault({
      what: "--to",
      value: build,
      rule: `must be a build that stack ${stack.name} has run`,
      fix: `its builds: ${releases.map((release) => release.build).join(", ") || "none"}`,
    });
  }
  const registry = platform?.registry;
  for (const { reference } of Object.values(found.workloads)) {
    if (registry === undefined || !reference.startsWith(`${registry.server}/`)) continue;
    if (await hasImage(reference, { server: registry.server, pull: registry.pull ?? registry.push }))
      continue;
    throw new Fault({
      what: `build ${build}`,
      value: reference,
      rule: "must still be in the registry, and is not",
      fix: "choose another build, or build its commit again; nothing was changed",
    });
  }
  const { at: _, forced: __, ...release } = found;
  return release;
}

/** Lists the builds that a stack has run, or puts one of them back by its digests. Builds nothing. */
export async function rollback({
  stack: name,
  to,
  wait,
  smoke,
  json = false,
}: RollbackOptions): Promise<void> {
  const stack = new Stack(await Pulumi.find(), name);
  await stack.require();
  const [outputs, history] = [await stack.outputs(), await stack.releases()];
  const releases = distinct(history);
  if (to === undefined) {
    const marked = releases.map((release) => ({
      ...release,
      runs: sameImages(release.workloads, outputs.images),
    }));
    printResult(marked, list(name, releases, outputs.images), { json });
    return;
  }
  const release: Release = { ...(await requireRelease(stack, to, releases, outputs)), by: actor() };
  let after: Outputs | undefined;
  await steps(
    [
      {
        title: `Put ${describeRelease(release)} back on ${name}`,
        run: async (report) => {
          after = await deployRelease(stack, release, {
            message: `Roll back to ${describeRelease(release)} by ${actor()}`,
            waitSeconds: wait,
            smokeSeconds: smoke,
            report,
          });
        },
      },
    ],
    { json },
  );
  printResult(...deployed(name, release, after as Outputs), { json });
}
