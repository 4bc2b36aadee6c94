import { application } from "../../infra/application.ts";
import type { Release } from "../../infra/config/images.ts";
import { Fault } from "../../infra/fault.ts";
import { projectName, readStackFile } from "../../local/deliver/project.ts";
import { deployRelease, requirePlatform } from "../deploy.ts";
import { problems } from "../health.ts";
import { copyImage } from "../images/copy.ts";
import { Pulumi } from "../pulumi.ts";
import { actor, describeRelease, readRelease, sameImages } from "../release.ts";
import { type Outputs, Stack } from "../stack.ts";
import { valuesOf } from "../stackFile.ts";
import { type CommonOptions, printResult, steps } from "../steps.ts";
import { deployed } from "./deploy.ts";

export interface PromoteOptions extends CommonOptions {
  readonly from: string;
  readonly to: string;
  /** File of the build that was approved. Default: what `from` runs. */
  readonly images?: string;
  readonly force?: boolean;
  /** Why, with force. */
  readonly reason?: string;
  readonly wait: number;
  readonly smoke: number;
}

/** What a stack runs by its own account: what it was given, else what its last deployment built. */
async function running(stack: Stack, { images }: Outputs): Promise<Release | undefined> {
  const [first] = Object.values(images);
  if (first === undefined) return undefined;
  const given = (await stack.releases()).find(({ workloads }) => sameImages(workloads, images));
  return {
    build: first.version,
    ...(given?.commit === undefined ? {} : { commit: given.commit }),
    ...given,
    workloads: images,
  };
}

/** Why a build should not go further: the stack before does not run it, or not well. */
async function objections(stack: Stack, outputs: Outputs, wanted: Release): Promise<string[]> {
  const last = await stack.lastUpdate();
  const runs = await running(stack, outputs);
  if (last === undefined || runs === undefined) return [`${stack.name} runs no build`];
  if (!sameImages(runs.workloads, wanted.workloads))
    return [`${stack.name} runs ${describeRelease(runs)}, not ${describeRelease(wanted)}`];
  return [
    ...(last.result === "succeeded"
      ? []
      : [`the last deployment of ${stack.name} has ended as ${last.result}`]),
    ...(await problems(application, outputs)),
  ];
}

/** Makes a build's images available to a stack: copied, where its registry is another one. */
async function available(
  release: Release,
  from: Outputs,
  { stack, to }: { readonly stack: string; readonly to: Outputs },
): Promise<Release["workloads"]> {
  const source = from.platform?.registry;
  const target = to.platform?.registry;
  if (source === undefined || target === undefined || source.server === target.server)
    return release.workloads;
  const images = valuesOf(readStackFile(stack)).images as { repository?: string } | undefined;
  const repository = images?.repository ?? projectName();
  const copied = Object.entries(release.workloads).map(async ([name, { reference, version }]) => [
    name,
    {
      reference: await copyImage(reference, `${repository}/${name}`, version, {
        from: { server: source.server, user: source.pull ?? source.push },
        to: { server: target.server, user: target.push },
      }),
      version,
    },
  ]);
  return Object.fromEntries(await Promise.all(copied));
}

/** Gives a stack the digests that another one has proved. Builds nothing. */
export async function promote(options: PromoteOptions): Promise<void> {
  const { from: fromName, to: toName, images, force = false, reason, wait, smoke, json = false } = options;
  if (force && (reason === undefined || reason.trim() === ""))
    throw new Fault({
      what: "--reason",
      rule: "is required with --force: it is kept in the stack's history",
    });
  const pulumi = await Pulumi.find();
  const [from, to] = [new Stack(pulumi, fromName), new Stack(pulumi, toName)];
  const given = images === undefined ? undefined : readRelease(images);
  await from.require();
  await to.require();
  const source = await from.outputs();
  const wanted = given ?? (await running(from, source));
  if (wanted === undefined)
    throw new Fault({
      what: `stack ${fromName}`,
      rule: "runs no build to promote",
      fix: "deploy to it first",
    });
  const by = actor();
  let release: Release = {
    build: wanted.build,
    ...(wanted.commit === undefined ? {} : { commit: wanted.commit }),
    workloads: wanted.workloads,
    by,
    ...(force ? { forced: `${reason}` } : {}),
  };
  const message = `Promote ${describeRelease(release)} from ${fromName} by ${by}${force ? `, forced: ${reason}` : ""}`;
  let outputs: Outputs | undefined;
  await steps(
    [
      {
        title: `Look at ${fromName}`,
        run: async () => {
          const found = await objections(from, source, wanted);
          if (found.length === 0) return `runs ${describeRelease(wanted)} and answers`;
          if (force) return `forced over: ${found.join("; ")}`;
          throw new Fault({
            what: `promotion of ${describeRelease(wanted)} to ${toName}`,
            rule: `is refused: ${fromName} does not run it well`,
            log: found.join("\n"),
            fix: "correct that, or promote by --force --reason WHY, which is kept with your name",
          });
        },
      },
      {
        title: "Images",
        run: async (report) => {
          const target = await requirePlatform(to, { message: "", waitSeconds: wait, report });
          const workloads = await available(release, source, { stack: toName, to: target });
          const copied = workloads !== release.workloads;
          release = { ...release, workloads };
          return copied ? `copied to ${target.platform.registry.server}` : "on the same registry";
        },
      },
      {
        title: `Deploy ${describeRelease(release)} to ${toName}`,
        run: async (report) => {
          outputs = await deployRelease(to, release, {
            message,
            waitSeconds: wait,
            smokeSeconds: smoke,
            report,
          });
        },
      },
    ],
    { json },
  );
  printResult(...deployed(toName, release, outputs as Outputs), { json });
}
