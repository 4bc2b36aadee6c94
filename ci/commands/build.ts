import { application } from "../../infra/application.ts";
import type { Release } from "../../infra/config/images.ts";
import { buildNumber } from "../../infra/images/buildNumber.ts";
import { root } from "../../infra/projectRoot.ts";
import { requirePlatform } from "../deploy.ts";
import { attest } from "../images/attest.ts";
import { BuiltImage } from "../images/build.ts";
import { Pulumi } from "../pulumi.ts";
import { actor, headCommit, writeRelease } from "../release.ts";
import { type Outputs, Stack } from "../stack.ts";
import { type CommonOptions, printResult, type Step, steps } from "../steps.ts";

export interface BuildOptions extends CommonOptions {
  readonly stack: string;
  /** File that tells the deployments what to run. */
  readonly images: string;
  readonly wait: number;
}

/** Where the CI systems keep the address of the running build, for its provenance. */
function builder(env: NodeJS.ProcessEnv): string {
  const { GITHUB_SERVER_URL, GITHUB_REPOSITORY, GITHUB_RUN_ID } = env;
  return (
    (GITHUB_RUN_ID === undefined
      ? undefined
      : `${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}/actions/runs/${GITHUB_RUN_ID}`) ??
    env.CI_JOB_URL ??
    env.BUILD_URL ??
    env.BUILD_BUILDURI ??
    env.BITBUCKET_GIT_HTTP_ORIGIN ??
    `local:${actor(env)}`
  );
}

/** Builds every image once, tests it as a container, then pushes all of them and tells their digests. */
export async function build({ stack: name, images: file, wait, json }: BuildOptions): Promise<void> {
  const pulumi = await Pulumi.find();
  const stack = new Stack(pulumi, name);
  const workloads: Record<string, { reference: string; version: string }> = {};
  const commit = headCommit();
  let platform: NonNullable<Outputs["platform"]>;
  const images: BuiltImage[] = [];
  let attested: Awaited<ReturnType<typeof attest>> = { done: [], left: [] };
  const each = (title: string, run: (image: BuiltImage) => Promise<unknown>): Step[] =>
    Object.keys(application).map((workload, index) => ({
      title: `${title} ${workload}`,
      run: () => run(images[index] as BuiltImage),
    }));
  await steps(
    [
      {
        title: `Registry of ${name}`,
        run: async (report) => {
          const outputs = await requirePlatform(stack, { message: "", waitSeconds: wait, report });
          platform = outputs.platform;
          for (const workload of Object.keys(application))
            images.push(new BuiltImage(application, workload, { stack: name, platform }, report));
          return platform.registry.server;
        },
      },
      ...each("Build", async (image) => {
        await image.build();
        return image.version;
      }),
      // All of them before any is pushed: a build that is half good is not in the registry.
      ...each("Test", (image) => image.check()),
      ...each("Push", async (image) => {
        const reference = await image.push();
        workloads[image.name] = { reference, version: image.version };
        return reference;
      }),
      {
        title: "Attest",
        run: async () => {
          attested = await attest({
            references: Object.values(workloads).map(({ reference }) => reference),
            registry: platform.registry,
            build: buildNumber(root, process.env),
            commit,
            builder: builder(process.env),
            env: process.env,
          });
          return [...attested.done, ...attested.left].join("; ");
        },
      },
    ],
    { json: json ?? false },
  );
  const release: Release = {
    build: buildNumber(root, process.env),
    ...(commit === undefined ? {} : { commit }),
    workloads,
  };
  writeRelease(file, release);
  printResult({ ...release, attested }, `\nBuild ${release.build} in ${file}`, { json: json ?? false });
}
