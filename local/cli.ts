import { setFlagsFromString } from "node:v8";
import { Command, Option } from "commander";
import { explain } from "../infra/fault.ts";

// A delivery waits more than it computes: a small young generation costs it nothing and saves a fifth of its memory.
setFlagsFromString("--semi-space-growth-factor=1");

const program = new Command("slipway").description(
  "The local stack: an application on a Kubernetes of this machine, or on your own",
);

const stack = new Option("--stack <name>", "stack to deliver, as Pulumi.<name>.yaml configures it").default(
  "local",
);
const way = new Option(
  "--deliver <way>",
  "pulumi: by the Pulumi CLI; direct: without it; auto: by it where there is one",
)
  .choices(["auto", "pulumi", "direct"])
  .default("auto");

const delivery = new Option(
  "--delivery <kind>",
  "push: applied; gitops: committed to a Git server in the cluster, and synced by Argo CD (default: as configured)",
).choices(["push", "gitops"]);

// Modules are loaded by the command that needs them: a status does not wait for Pulumi's SDK.
program
  .command("start")
  .description("bring the environment up and deliver the stack to it; again after a change")
  .addOption(stack)
  .addOption(way)
  .addOption(delivery)
  .option("--environment-only", "bring the environment up, and deliver nothing")
  .action(async (options) => (await import("./commands/start.ts")).start(options));

program
  .command("stop")
  .description("remove everything that start made, but for the cache of built tools")
  .addOption(new Option("--cache", "remove that cache too").conflicts("keepData"))
  .option("--keep-data", "leave the cluster's data, volumes and images, with which the next start goes on")
  .action(async (options) => (await import("./commands/stop.ts")).stop(options));

program
  .command("status")
  .description("tell what runs; exits 1 unless everything does")
  .option("--json", "as JSON")
  .action(async (options) => (await import("./commands/status.ts")).status(options));

program
  .command("destroy")
  .description("delete everything that a stack has in the cluster")
  .addOption(stack)
  .addOption(way)
  .action(async (options) => (await import("./commands/destroy.ts")).destroy(options));

program
  .command("render")
  .description("write a stack's objects as files: no Pulumi CLI, login or cluster is needed")
  .requiredOption("--stack <name>", "stack to render, as Pulumi.<name>.yaml configures it")
  .requiredOption("--out <dir>", "directory that gets a folder with the stack's name")
  .addOption(
    new Option("--format <format>", "kustomize: a folder for kubectl apply -k; helm: a chart")
      .choices(["kustomize", "helm"])
      .default("kustomize"),
  )
  .option("--values <file>", "the stack's outputs: pulumi stack output --json")
  .option("--images <file>", "images by workload, over those: pulumi stack output images --json")
  .option("--strict", "fail rather than write placeholders for what is not known")
  .action(async (options) => (await import("./commands/render.ts")).render(options));

try {
  await program.parseAsync();
} catch (error) {
  console.error(explain(error));
  // Not by itself: steps beside the one that failed, a compilation say, would go on for minutes. Exiting ends them.
  process.exit(1);
}
