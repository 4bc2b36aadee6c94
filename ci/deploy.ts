import { application } from "../infra/application.ts";
import type { Release } from "../infra/config/images.ts";
import { Fault } from "../infra/fault.ts";
import { readStackFile, type StackFile } from "../local/deliver/project.ts";
import { waitUntilHealthy } from "./health.ts";
import type { ChangeOptions, Outputs, Stack } from "./stack.ts";
import { valuesOf, withValues } from "./stackFile.ts";

/** A stack's file, with a build to run in the place of what its `slipway:images` says. */
export function withRelease(file: StackFile, release: Release): StackFile {
  const images = valuesOf(file).images as { repository?: string } | undefined;
  const repository = images?.repository;
  return withValues(file, {
    images: { source: "digests", ...(repository === undefined ? {} : { repository }), release },
  });
}

/** Given to a stack that has to have its platform before it can have a build. */
const none: Release = { build: "none", workloads: {} };

/**
 * What a stack tells of its platform. Brings the platform up, and no workload, where the stack was never deployed.
 *
 * @throws Fault when its platform is not to be had
 */
export async function requirePlatform(
  stack: Stack,
  options: ChangeOptions,
): Promise<Outputs & { readonly platform: NonNullable<Outputs["platform"]> }> {
  await stack.require();
  let outputs = await stack.outputs();
  // Never on a stack that has run: it would take its workloads away.
  if (outputs.platform === undefined && !(await stack.hasSucceeded())) {
    await stack.up(withRelease(readStackFile(stack.name), none), {
      ...options,
      message: "Bring the platform up",
    });
    outputs = await stack.outputs();
  }
  const { platform } = outputs;
  if (platform !== undefined) return { ...outputs, platform };
  throw new Fault({
    what: `stack ${stack.name}`,
    rule: "must tell its platform, and does not since its last deployment failed",
    fix: `deploy it again: npm run ci:deploy -- --stack ${stack.name}`,
  });
}

export interface DeployOptions extends ChangeOptions {
  /** Seconds that the build may take to run and answer once it is deployed. */
  readonly smokeSeconds: number;
}

/**
 * Deploys a build and waits until it runs and answers.
 *
 * @param file the stack's configuration but for its images
 * @throws Fault when the deployment fails, or what it deployed does not run or answer
 */
export async function deployRelease(
  stack: Stack,
  release: Release,
  options: DeployOptions,
  file: StackFile = readStackFile(stack.name),
): Promise<Outputs> {
  await stack.up(withRelease(file, release), options);
  const outputs = await stack.outputs();
  await waitUntilHealthy(stack.name, application, outputs, {
    seconds: options.smokeSeconds,
    report: options.report,
  });
  return outputs;
}
