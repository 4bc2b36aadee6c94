import { Fault } from "../../infra/fault.ts";
import { argoProblems } from "../gitops.ts";
import { type Change, changesOf } from "../preview/changes.ts";
import { Pulumi } from "../pulumi.ts";
import { Stack } from "../stack.ts";
import { type CommonOptions, printResult, steps } from "../steps.ts";

export interface DriftOptions extends CommonOptions {
  readonly stack: readonly string[];
}

/** What of a stack is not as it was deployed. */
interface Drift {
  readonly stack: string;
  readonly changes: readonly Change[];
  /** What Argo CD says, in a stack that it delivers. */
  readonly argo: readonly string[];
}

function describe({ stack, changes, argo }: Drift): string {
  if (changes.length + argo.length === 0) return `${stack}: as it was deployed`;
  const rows = changes.map(({ action, kind, name, fields }) =>
    action === "destroy" ? `${kind} ${name}: is gone` : `${kind} ${name}: ${fields.join(", ")}`,
  );
  return [`${stack}: differs from what was deployed`, ...[...rows, ...argo].map((row) => `  ${row}`)].join(
    "\n",
  );
}

/** Compares stacks with what there is, and changes neither. Exits 2 where they differ. */
export async function drift({ stack: names, json = false }: DriftOptions): Promise<void> {
  const pulumi = await Pulumi.find();
  const found: Drift[] = [];
  for (const name of names) {
    const stack = new Stack(pulumi, name);
    await steps(
      [
        {
          title: `Compare ${name}`,
          run: async () => {
            await stack.require();
            const refreshed = await stack.refreshPreview();
            if (refreshed.failure !== undefined)
              throw new Fault({
                what: `stack ${name}`,
                rule: "could not be compared with what there is",
                log: refreshed.failure,
              });
            found.push({
              stack: name,
              changes: changesOf(refreshed),
              argo: await argoProblems(name, await stack.outputs()),
            });
          },
        },
      ],
      { json },
    );
  }
  printResult(found, `\n${found.map(describe).join("\n")}`, { json });
  if (found.some(({ changes, argo }) => changes.length + argo.length > 0)) process.exitCode = 2;
}
