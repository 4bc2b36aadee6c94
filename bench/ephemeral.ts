import { execa } from "execa";
import { getText } from "../test/support/cluster.ts";
import setup from "../test/support/environment.ts";
import { PulumiStack, pulumiCommand } from "../test/support/pulumi.ts";
import { Workspace } from "../test/support/workspace.ts";
import { type Row, seconds } from "./table.ts";

const base = "bench-base";

/** A branch's stack, its images built already: until its URL answers, and until nothing is left of it. */
export async function bench(rounds: number): Promise<Row[]> {
  if (pulumiCommand === undefined) throw new Error("bench ephemeral needs the Pulumi CLI on PATH");
  await setup();
  const workspace = new Workspace(base);
  const platform = { kind: "local" };
  const exposure = { frontend: { type: "NodePort" }, api: { type: "NodePort" } };
  const workloads = { api: { replicas: 1 }, frontend: { replicas: 1 } };
  workspace.configure({ platform, exposure });
  workspace.configure({ platform, exposure, workloads }, "bench-direct");
  const direct = (command: string) =>
    execa(process.execPath, ["local/slipway.js", command, "--stack", "bench-direct", "--deliver", "direct"], {
      cwd: workspace.path,
    });
  const stack = new PulumiStack(workspace);
  const ci = (...args: string[]) =>
    execa(process.execPath, ["ci/cli.ts", ...args], { cwd: workspace.path, env: stack.env });
  const values = {
    up: [] as number[],
    down: [] as number[],
    deliver: [] as number[],
    destroy: [] as number[],
  };
  try {
    await stack.init();
    workspace.commit("Configure");
    await stack.up();
    for (let round = 0; round < rounds; round += 1) {
      const name = `bench-${round}`;
      values.deliver.push(await seconds(() => direct("start")));
      values.destroy.push(await seconds(() => direct("destroy")));
      values.up.push(
        await seconds(async () => {
          const { stdout } = await ci("ephemeral", "up", name, "--base", base, "--json");
          await getText((JSON.parse(stdout) as { urls: { frontend: string } }).urls.frontend);
        }),
      );
      values.down.push(await seconds(() => ci("ephemeral", "down", name)));
    }
  } finally {
    await stack.destroy();
    workspace.remove();
    stack.remove();
  }
  const [deliver, destroy] = ["npm start, directly", "npm run destroy, directly"];
  return [
    { name: deliver, unit: "s", values: values.deliver },
    { name: "ephemeral up", unit: "s", values: values.up, goal: 20 },
    { name: destroy, unit: "s", values: values.destroy },
    { name: "ephemeral down", unit: "s", values: values.down, goal: 15 },
  ];
}
