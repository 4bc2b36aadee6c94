import { appendFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { Fault } from "../../infra/fault.ts";
import { root } from "../../infra/projectRoot.ts";
import { readStackFile } from "../../local/deliver/project.ts";
import { comment } from "../comment/index.ts";
import { withRelease } from "../deploy.ts";
import { changesOf } from "../preview/changes.ts";
import { ManifestDiff } from "../preview/manifests.ts";
import { previewMarkdown, type StackPreview } from "../preview/markdown.ts";
import { Pulumi } from "../pulumi.ts";
import { Stack } from "../stack.ts";
import { type CommonOptions, printResult, steps } from "../steps.ts";

export interface PreviewOptions extends CommonOptions {
  readonly stack: readonly string[];
  /** Branch or commit that the objects are compared with. */
  readonly target: string;
  /** False: without the backend, and so without a secret. */
  readonly state: boolean;
  /** False: the house rules are not checked. */
  readonly policy: boolean;
  /** File that gets the Markdown. */
  readonly out?: string;
}

/** The preview of a stack as it is, with the build that it runs: what changes is what the change changes. */
async function previewStack(pulumi: Pulumi, name: string, policy: boolean): Promise<StackPreview> {
  const stack = new Stack(pulumi, name);
  await stack.require();
  const file = readStackFile(name);
  const release = await stack.release();
  const json = await stack.preview(release === undefined ? file : withRelease(file, release), {
    policyPack: policy ? join(root, "infra/policy") : undefined,
  });
  const failure = json.failure === undefined ? {} : { failure: stripVTControlCharacters(json.failure) };
  return { stack: name, changes: changesOf(json), ...failure };
}

/** Shows what a change does to the stacks: for people, on the pull request, and where asked for as JSON. */
export async function preview(options: PreviewOptions): Promise<void> {
  const { stack: names, target, state, policy, out, json = false } = options;
  for (const name of names) readStackFile(name);
  const previews: StackPreview[] = [];
  const notes: string[] = state
    ? []
    : ["Without credentials: nothing was compared with what the stacks have. A maintainer's run does that."];
  const manifests = new ManifestDiff(target);
  const pulumi = state ? await Pulumi.find() : undefined;
  try {
    for (const name of names) {
      await steps(
        [
          {
            title: `Preview ${name}`,
            run: async () => {
              const found =
                pulumi === undefined
                  ? { stack: name }
                  : await previewStack(pulumi, name, policy).catch((error: unknown): StackPreview => {
                      if (!(error instanceof Fault)) throw error;
                      return { stack: name, failure: error.message };
                    });
              const release =
                pulumi === undefined || found.failure !== undefined
                  ? undefined
                  : await new Stack(pulumi, name).release();
              const { diff, reason } = await manifests.of(name, release);
              if (reason !== undefined) notes.push(`No manifests of ${name}: ${reason}`);
              previews.push({ ...found, ...(diff === undefined ? {} : { manifests: diff }) });
              return found.failure === undefined ? `${found.changes?.length ?? 0} changes` : "failed";
            },
          },
        ],
        { json },
      );
    }
  } finally {
    await manifests.remove();
  }
  const markdown = previewMarkdown(previews, notes);
  if (out !== undefined) writeFileSync(out, markdown);
  // GitHub shows it with the run, which is all that a fork's run may do.
  const summary = process.env.GITHUB_STEP_SUMMARY;
  if (summary !== undefined && summary !== "") appendFileSync(summary, markdown);
  const commented = await comment("preview", markdown);
  printResult({ previews, notes, commented }, `\n${markdown}\n${commented}`, { json });
  if (previews.some(({ failure }) => failure !== undefined)) process.exitCode = 1;
}
