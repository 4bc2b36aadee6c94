import type { Release } from "../../infra/config/images.ts";
import { Fault } from "../../infra/fault.ts";
import { deployRelease } from "../deploy.ts";
import { Pulumi } from "../pulumi.ts";
import { actor, describeRelease, readRelease } from "../release.ts";
import { type Outputs, Stack } from "../stack.ts";
import { type CommonOptions, printResult, steps } from "../steps.ts";

export interface DeployCommandOptions extends CommonOptions {
  readonly stack: string;
  /** File that ci:build wrote. Default: what the stack runs. */
  readonly images?: string;
  readonly wait: number;
  readonly smoke: number;
}

/** The build that a stack was given last. @throws Fault when it never was */
async function current(stack: Stack): Promise<Release> {
  const last = await stack.release();
  if (last === undefined) {
    throw new Fault({
      what: "--images",
      rule: `is required: stack ${stack.name} was never given a build`,
      fix: "write it by npm run ci:build -- --images FILE",
    });
  }
  return last;
}

/** What people and machines are told of a deployment. */
export function deployed(
  stack: string,
  release: Release,
  { urls }: Outputs,
): [result: unknown, text: string] {
  const width = Math.max(0, ...Object.keys(urls).map((name) => name.length));
  const lines = Object.entries(urls).map(
    ([name, url]) => `${name.padEnd(width)}  ${url}  build ${release.workloads[name]?.version}`,
  );
  return [{ stack, release, urls }, `\n${lines.join("\n")}`];
}

/** Deploys a build, or the one that runs with a changed configuration, and looks that it answers. */
export async function deploy(options: DeployCommandOptions): Promise<void> {
  const { stack: name, images, wait, smoke, json = false } = options;
  const given = images === undefined ? undefined : readRelease(images);
  const stack = new Stack(await Pulumi.find(), name);
  await stack.require();
  const release: Release = { ...(given ?? (await current(stack))), by: actor() };
  let outputs: Outputs | undefined;
  await steps(
    [
      {
        title: `Deploy ${describeRelease(release)} to ${name}`,
        run: async (report) => {
          outputs = await deployRelease(stack, release, {
            message: `Deploy ${describeRelease(release)} by ${actor()}`,
            waitSeconds: wait,
            smokeSeconds: smoke,
            report,
          });
        },
      },
    ],
    { json },
  );
  printResult(...deployed(name, release, outputs as Outputs), { json });
}
