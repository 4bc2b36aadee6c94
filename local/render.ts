import {
  Listr,
  type ListrRenderer,
  type ListrTask,
  ListrTaskEventType,
  type ListrTaskObject,
  PRESET_TIMER,
  parseTimer,
} from "listr2";

/** Seconds between two progress lines of one step where lines cannot be rewritten, as in a CI log. */
const PLAIN_PROGRESS_SECONDS = 15;

// biome-ignore lint/suspicious/noExplicitAny: listr2 types a task by its renderers, which do not matter here
type AnyTask = ListrTaskObject<any, any, any>;

/** Elapsed time for people: 0.4s, 12s, 7m 5s. */
export function elapsed(milliseconds: number): string {
  const tenths = Math.round(milliseconds / 100) / 10;
  return milliseconds < 10_000 ? `${tenths.toFixed(1)}s` : parseTimer(milliseconds);
}

/** One line per finished step, and now and then one of a long step's progress. */
class PlainRenderer implements ListrRenderer {
  static nonTTY = true;
  static rendererOptions: never;
  static rendererTaskOptions: never;
  private readonly tasks: AnyTask[];

  constructor(tasks: AnyTask[]) {
    this.tasks = tasks;
  }

  render(): void {
    this.follow(this.tasks);
  }

  end(): void {}

  private follow(tasks: readonly AnyTask[]): void {
    for (const task of tasks) {
      let begin = 0;
      let spoke = 0;
      task.on(ListrTaskEventType.STATE, () => {
        if (task.isStarted() && begin === 0) {
          begin = performance.now();
          spoke = begin;
        } else if (task.hasFailed()) {
          print(`✖ ${task.title}  ${elapsed(performance.now() - begin)}`);
        } else if (task.isCompleted()) {
          print(`✔ ${task.title}  ${elapsed(performance.now() - begin)}`);
        }
      });
      task.on(ListrTaskEventType.OUTPUT, (line) => {
        const now = performance.now();
        if (now - spoke < PLAIN_PROGRESS_SECONDS * 1000) return;
        spoke = now;
        print(`  ${task.title}: ${line}`);
      });
      task.on(ListrTaskEventType.SUBTASK, (subtasks) => this.follow(subtasks));
    }
  }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/**
 * Runs steps one after the other, showing each with its elapsed time. The first that fails ends it, by its error.
 *
 * @param silent shows nothing: standard output is for a machine
 * @returns the context that the steps have filled
 */
export function runSteps<Context extends object>(
  tasks: ListrTask<Context>[],
  context: Context,
  { silent = false }: { readonly silent?: boolean } = {},
): Promise<Context> {
  return new Listr<Context, "default", typeof PlainRenderer>(tasks, {
    ctx: context,
    renderer: "default",
    silentRendererCondition: silent,
    fallbackRenderer: PlainRenderer,
    rendererOptions: {
      timer: { ...PRESET_TIMER, condition: true },
      collapseSubtasks: false,
      // The caller prints it, once.
      showErrorMessage: false,
    },
  }).run();
}
