import type { ListrTask } from "listr2";
import { runSteps } from "../local/render.ts";

/** What a command of CI has in common with the others. */
export interface CommonOptions {
  /** Print JSON on standard output, and nothing else there. */
  readonly json?: boolean;
}

/** Told what is being done, as one line. */
export type Report = (line: string) => void;

/** One step of a command. Text that it gives ends its title, and tells what came out. */
export interface Step {
  readonly title: string;
  readonly run: (report: Report) => Promise<unknown>;
}

/** Runs steps one after the other and shows each with its elapsed time; nothing where JSON is wanted. */
export async function steps(list: readonly Step[], { json = false }: CommonOptions): Promise<void> {
  const tasks = list.map(
    ({ title, run }): ListrTask => ({
      title,
      task: async (_, task) => {
        const ending = await run((line) => {
          task.output = line;
        });
        if (typeof ending === "string") task.title = `${title}: ${ending}`;
      },
    }),
  );
  await runSteps(tasks, {}, { silent: json });
}

/** Prints a command's result: for machines as JSON, else for people. */
export function printResult(result: unknown, text: string, { json = false }: CommonOptions): void {
  console.log(json ? JSON.stringify(result, null, 2) : text);
}
