import { application } from "../../infra/application.ts";
import type { Release } from "../../infra/config/images.ts";
import { Fault } from "../../infra/fault.ts";
import { readStackFile } from "../../local/deliver/project.ts";
import { comment } from "../comment/index.ts";
import { deployRelease } from "../deploy.ts";
import { readBranches } from "../ephemeral/branches.ts";
import { ephemeralConfig, ephemeralFile } from "../ephemeral/config.ts";
import { ephemeralName, prefix } from "../ephemeral/name.ts";
import { type EphemeralStack, ephemeralStacks, tags } from "../ephemeral/stacks.ts";
import { Pulumi, StackLocked } from "../pulumi.ts";
import { actor, describeRelease, readRelease } from "../release.ts";
import { type Outputs, Stack } from "../stack.ts";
import { type CommonOptions, printResult, type Report, steps } from "../steps.ts";
import { deployed } from "./deploy.ts";

const day = 86_400_000;

export interface UpOptions extends CommonOptions {
  readonly base: string;
  /** File of a build. Default: what the base stack runs. */
  readonly images?: string;
  readonly wait: number;
  readonly smoke: number;
}

/** A name as people give it, or a stack's own as `list` shows it. */
function stackOf(name: string): string {
  return /^eph-[a-z0-9-]+$/.test(name) ? name : ephemeralName(name);
}

function releaseOf(file: string | undefined, base: string, { images }: Outputs): Release {
  if (file !== undefined) return readRelease(file);
  const [first] = Object.values(images);
  if (first !== undefined) return { build: first.version, workloads: images };
  throw new Fault({
    what: `stack ${base}`,
    rule: "runs no build that an ephemeral stack could run",
    fix: "deploy to it first, or name one by --images FILE",
  });
}

/** Makes the stack of a branch, or gives it another build and a later end. */
export async function up(
  name: string,
  { base, images, wait, smoke, json = false }: UpOptions,
): Promise<void> {
  const stackName = ephemeralName(name);
  const file = readStackFile(base);
  const { days } = ephemeralConfig(file);
  const pulumi = await Pulumi.find();
  const [owner, stack] = [new Stack(pulumi, base), new Stack(pulumi, stackName)];
  await owner.require();
  const [platform, baseName, branches] = await Promise.all([
    owner.outputs(),
    owner.fullName(),
    readBranches(),
  ]);
  const release = releaseOf(images, base, platform);
  const expires = new Date(Date.now() + days * day).toISOString();
  let outputs: Outputs | undefined;
  let commented = "";
  await steps(
    [
      {
        title: `Stack ${stackName}`,
        run: async () => {
          await stack.create(file);
          // First of all: whatever interrupts this, the next gc knows when it may clean up.
          await stack.tag(tags.expires, expires);
          await stack.tag(tags.name, name.slice(0, 256));
          if (branches.remote?.has(name) === true) await stack.tag(tags.branch, name);
        },
      },
      {
        title: `Deploy ${describeRelease(release)}`,
        run: async (report) => {
          outputs = await deployRelease(
            stack,
            { ...release, by: actor() },
            {
              message: `Deploy ${describeRelease(release)} by ${actor()}`,
              waitSeconds: wait,
              smokeSeconds: smoke,
              report,
            },
            ephemeralFile(file, baseName, {
              release: { ...release, by: actor() },
              stack: stackName,
              resourceGroup: platform.platform?.azure?.resourceGroup,
              expires,
              workloads: Object.keys(application),
            }),
          );
        },
      },
      {
        title: "Comment",
        run: async () => {
          commented = await comment("ephemeral", commentOf(stackName, release, expires, outputs as Outputs));
          return commented;
        },
      },
    ],
    { json },
  );
  const [result, text] = deployed(stackName, release, outputs as Outputs);
  printResult({ ...(result as object), expires, commented }, `${text}\n\nuntil ${expires}`, { json });
}

function commentOf(stack: string, release: Release, expires: string, { urls }: Outputs): string {
  const rows = Object.entries(urls).map(
    ([name, url]) => `| ${name} | ${url} | ${release.workloads[name]?.version} |`,
  );
  return [
    `**This branch runs** as the stack \`${stack}\`, until ${expires} unless it is deployed again.`,
    "",
    "| workload | URL | build |",
    "| --- | --- | --- |",
    ...rows,
  ].join("\n");
}

/** Destroys an ephemeral stack and everything that it has. */
export async function down(
  name: string,
  { wait, json = false }: CommonOptions & { readonly wait: number },
): Promise<void> {
  const stackName = stackOf(name);
  const stack = new Stack(await Pulumi.find(), stackName);
  const there = await stack.exists();
  await steps(
    [
      {
        title: `Destroy ${stackName}`,
        run: async (report) => {
          if (!there) return "is not there";
          await destroy(stack, wait, report);
          return undefined;
        },
      },
    ],
    { json },
  );
  await comment("ephemeral", `The stack \`${stackName}\` of this branch is gone.`);
  printResult({ stack: stackName, destroyed: there }, "", { json });
}

/** @throws Fault when it is being updated for as long as this waits */
async function destroy(stack: Stack, waitSeconds: number, report: Report): Promise<void> {
  // Expired from now on: a destroy that is interrupted is finished by the next gc.
  await stack.tag(tags.expires, new Date(0).toISOString());
  await stack.destroy({ message: `Destroy, by ${actor()}`, waitSeconds, report });
}

/** Tells which there are. */
export async function list({ json = false }: CommonOptions): Promise<void> {
  const stacks = await ephemeralStacks(await Pulumi.find());
  const rows = await Promise.all(
    stacks.map(async ({ stack, name, expires }) => ({
      stack: stack.name,
      name,
      expires: new Date(expires).toISOString(),
      urls: (await stack.outputs()).urls,
    })),
  );
  const text = rows.map(
    ({ stack, name, expires, urls }) =>
      `${stack}  ${JSON.stringify(name)}  until ${expires}  ${Object.values(urls).join(" ")}`,
  );
  printResult(rows, text.length === 0 ? "There is no ephemeral stack." : text.join("\n"), { json });
}

/** Why a stack may be destroyed; undefined as long as it may not. */
async function doom(
  { branch, expires }: EphemeralStack,
  isMerged: (branch: string) => Promise<boolean>,
): Promise<string | undefined> {
  if (expires <= Date.now()) return "expired";
  return branch !== undefined && (await isMerged(branch)) ? "merged" : undefined;
}

/** Destroys what has expired and what has been merged. One that is being updated is left to the next gc. */
export async function gc({ json = false }: CommonOptions): Promise<void> {
  const pulumi = await Pulumi.find();
  const branches = await readBranches();
  const result: Record<"destroyed" | "busy" | "failed" | "kept", string[]> = {
    destroyed: [],
    busy: [],
    failed: [],
    kept: [],
  };
  const faults: string[] = [];
  for (const found of await ephemeralStacks(pulumi)) {
    const { stack } = found;
    const why = await doom(found, branches.isMerged);
    if (why === undefined || !stack.name.startsWith(prefix)) {
      result.kept.push(stack.name);
      continue;
    }
    const destroying = {
      title: `Destroy ${stack.name} (${why})`,
      run: async (report: Report) => {
        try {
          await destroy(stack, 0, report);
          result.destroyed.push(stack.name);
          return undefined;
        } catch (error) {
          if (!(error instanceof Fault)) throw error;
          const busy = error instanceof StackLocked;
          (busy ? result.busy : result.failed).push(stack.name);
          // The others are destroyed all the same.
          if (!busy) faults.push(error.message);
          return busy ? "left: it is being updated" : "failed";
        }
      },
    };
    await steps([destroying], { json });
  }
  const text = Object.entries(result).map(([what, names]) => `${names.length} ${what}`);
  printResult(result, text.join(", "), { json });
  if (faults.length > 0)
    throw new Fault({
      what: result.failed.join(", "),
      rule: "could not be destroyed",
      log: faults.join("\n"),
      fix: "see why; the next gc tries again",
    });
}
