import { Command } from "commander";

/** The benchmarks by name; each prints its own table and compares with a floor or a peer of the same run. */
const benchmarks = {
  change:
    "a changed text until every replica serves it, against docker build, push, kubectl set image and rollout status",
  preview:
    "a preview with no changes, against a bare Pulumi program with as many resources (needs the Pulumi CLI)",
  rollout: "failed requests and latency on kept-alive connections while pods are replaced, against idle",
  render: "1,000 workloads of six objects as files, against helm template, cdk8s and bare scripts",
  gitops:
    "a push until every pod serves it, against kubectl apply and rollout status; drift until it is healed; a fix after a refused commit",
  ephemeral:
    "a branch's stack until its URL answers, and until it is gone, against direct delivery (needs the Pulumi CLI)",
  memory: "resident memory of the idle environment and of the program",
} as const;

const program = new Command("bench").description("Benchmarks on the embedded environment");
for (const [name, description] of Object.entries(benchmarks)) {
  program
    .command(name)
    .description(description)
    .option("--rounds <n>", "measurements of each contestant", "5")
    .option("--json", "print the numbers as JSON")
    .action(async (options: { rounds: string; json?: boolean }) => {
      const { bench } = (await import(`./${name}.ts`)) as {
        bench: (rounds: number) => Promise<import("./table.ts").Row[]>;
      };
      const rows = await bench(Number(options.rounds));
      const { formatTable } = await import("./table.ts");
      console.log(options.json ? JSON.stringify(rows, null, 2) : formatTable(rows));
    });
}
await program.parseAsync();
