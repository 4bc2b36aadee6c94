import { Command, InvalidArgumentError, Option } from "commander";
import { explain } from "../infra/fault.ts";
import { targetBranch } from "./preview/target.ts";

/** A whole number of seconds. */
function seconds(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0)
    throw new InvalidArgumentError("must be a whole number of seconds.");
  return value;
}

/** A stack by its plain name: the file Pulumi.<name>.yaml is read by it. */
function stackName(text: string): string {
  if (!/^[A-Za-z0-9][\w.-]{0,99}$/.test(text))
    throw new InvalidArgumentError("must be a stack's name: letters, digits, dots, dashes and underscores.");
  return text;
}

const json = () => new Option("--json", "print the result as JSON, and nothing else");
const wait = () =>
  new Option("--wait <seconds>", "how long to wait for another update of the stack to end")
    .argParser(seconds)
    .default(600);
const smoke = () =>
  new Option("--smoke <seconds>", "how long the build may take to run and answer at its URL")
    .argParser(seconds)
    .default(120);
const images = (description: string) => new Option("--images <file>", description);

const program = new Command("ci").description("What a pipeline calls: the same commands on every CI system");

const defaultStacks = ["dev", "prod"];
const stacks = () =>
  new Option("--stack <name...>", "stacks to look at")
    .argParser((text: string, before: string[] | undefined) => [
      ...(before === undefined || before === defaultStacks ? [] : before),
      stackName(text),
    ])
    .default(defaultStacks);
// Modules are loaded by the command that needs them.
program
  .command("test")
  .description(
    "types, lint, format and tests, with JUnit and Cobertura reports; exits 1 when one of them fails",
  )
  .addOption(json())
  .action(async (options) => (await import("./commands/test.ts")).test(options));

program
  .command("preview")
  .description("show what a change does to the stacks, and comment it on the pull request")
  .addOption(stacks())
  .addOption(
    new Option("--target <ref>", "branch or commit that the rendered objects are compared with").default(
      targetBranch(process.env),
      "the branch that the pull request is to be merged into, else origin/main",
    ),
  )
  .option(
    "--no-state",
    "without the backend and its credentials, for the change of a fork: the rendered objects only",
  )
  .option("--no-policy", "without the house rules of infra/policy")
  .option("--out <file>", "file that gets the Markdown")
  .addOption(json())
  .action(async (options) => (await import("./commands/preview.ts")).preview(options));

program
  .command("build")
  .description("build every image once, test it as a container, push it, and write the record of its digest")
  .addOption(
    new Option("--stack <name>", "stack whose registry the images go to").argParser(stackName).default("dev"),
  )
  .addOption(images("record to write").default("images.json"))
  .addOption(wait())
  .addOption(json())
  .action(async (options) => (await import("./commands/build.ts")).build(options));

program
  .command("deploy")
  .description("deploy a build to a stack and look that it answers; without --images, the one that it runs")
  .requiredOption("--stack <name>", "stack to deploy to", stackName)
  .addOption(images("record that build wrote"))
  .addOption(wait())
  .addOption(smoke())
  .addOption(json())
  .action(async (options) => (await import("./commands/deploy.ts")).deploy(options));

program
  .command("promote")
  .description("give a stack the digests that another one runs; nothing is built")
  .addOption(new Option("--from <stack>", "stack that has proved them").argParser(stackName).default("dev"))
  .addOption(new Option("--to <stack>", "stack that gets them").argParser(stackName).default("prod"))
  .addOption(images("record of the build that was approved. Default: what --from runs"))
  .option("--force", "promote although --from does not run the build well")
  .option("--reason <text>", "why; required with --force, and kept in the stack's history")
  .addOption(wait())
  .addOption(smoke())
  .addOption(json())
  .action(async (options) => (await import("./commands/promote.ts")).promote(options));

program
  .command("rollback")
  .description("list the builds that a stack has run; with --to, put one of them back by its digests")
  .requiredOption("--stack <name>", "stack to put back", stackName)
  .option("--to <build>", "number of the build to run again")
  .addOption(wait())
  .addOption(smoke())
  .addOption(json())
  .action(async (options) => (await import("./commands/rollback.ts")).rollback(options));

program
  .command("drift")
  .description("compare stacks with what there is, and change neither; exits 2 where they differ")
  .addOption(stacks())
  .addOption(json())
  .action(async (options) => (await import("./commands/drift.ts")).drift(options));

const ephemeral = program
  .command("ephemeral")
  .description("stacks that live for a branch, on another stack's cluster and registry");

ephemeral
  .command("up")
  .description("make the stack of a branch, or deploy to it again; tells its URLs, and when it ends")
  .argument("<name>", "the branch, or any other name")
  .addOption(
    new Option("--base <stack>", "stack whose cluster and registry it runs on")
      .argParser(stackName)
      .default("dev"),
  )
  .addOption(images("record that build wrote. Default: what --base runs"))
  .addOption(wait())
  .addOption(smoke())
  .addOption(json())
  .action(async (name, options) => (await import("./commands/ephemeral.ts")).up(name, options));

ephemeral
  .command("down")
  .description("destroy the stack of a branch")
  .argument("<name>", "what it was made for, or its own name as list tells it")
  .addOption(wait())
  .addOption(json())
  .action(async (name, options) => (await import("./commands/ephemeral.ts")).down(name, options));

ephemeral
  .command("list")
  .description("tell which there are, where they answer, and when they end")
  .addOption(json())
  .action(async (options) => (await import("./commands/ephemeral.ts")).list(options));

ephemeral
  .command("gc")
  .description(
    "destroy those that have expired or whose branch is merged or gone, and finish what was interrupted",
  )
  .addOption(json())
  .action(async (options) => (await import("./commands/ephemeral.ts")).gc(options));

try {
  await program.parseAsync();
} catch (error) {
  console.error(explain(error));
  process.exit(1);
}
