import { execa } from "execa";
import { Fault } from "../../infra/fault.ts";
import { root } from "../../infra/projectRoot.ts";
import { type CommonOptions, printResult, steps } from "../steps.ts";

/** What a change has to pass, in the order of the time that it takes. Reports are in `reports` of each directory. */
const checks: readonly { readonly title: string; readonly command: readonly string[] }[] = [
  { title: "Types", command: ["npm", "run", "--silent", "typecheck"] },
  { title: "Lint", command: ["npm", "run", "--silent", "lint"] },
  { title: "Format", command: ["npm", "run", "--silent", "format:check"] },
  {
    title: "Tests of the program",
    command: [
      "vitest",
      "run",
      "--project",
      "unit",
      "--coverage",
      "--coverage.reporter=cobertura",
      "--coverage.reporter=text-summary",
      "--coverage.reportsDirectory=reports",
    ],
  },
  { title: "Tests of the application", command: ["npm", "run", "--silent", "test:app"] },
];

/** Runs every check, also after one that failed, and leaves JUnit and Cobertura reports. */
export async function test({ json = false }: CommonOptions): Promise<void> {
  const failed: string[] = [];
  for (const { title, command } of checks) {
    const [file = "", ...args] = command;
    await steps(
      [
        {
          title,
          run: async (report) => {
            const subprocess = execa(file, args, {
              cwd: root,
              preferLocal: true,
              localDir: root,
              reject: false,
              all: true,
              stdin: "ignore",
            });
            const lines: string[] = [];
            for await (const line of subprocess.iterable({ from: "all" })) {
              lines.push(line);
              report(line);
            }
            if (!(await subprocess).failed) return undefined;
            failed.push(title);
            console.error(lines.slice(-200).join("\n"));
            return "failed";
          },
        },
      ],
      { json },
    );
  }
  printResult({ failed }, failed.length === 0 ? "\nAll well" : "", { json });
  if (failed.length > 0)
    throw new Fault({ what: failed.join(", "), rule: "must pass", fix: "see above, and the reports" });
}
