// Run by dynamic providers, in the project's own Node.js: a task's name as argument and its inputs as JSON on standard
// input, its result as JSON on standard output, its progress on standard error.
import { text } from "node:stream/consumers";
import { Cluster } from "../cluster/cluster.ts";
import { type ReleaseGoal, rollOut } from "../cluster/release.ts";
import { explain } from "../fault.ts";
import { takeFromArgocd } from "./argocd/handover.ts";
import { type ReleaseInputs, release } from "./release.ts";
import type { TakeOverInputs } from "./takeOver.ts";

const tasks: { readonly [name: string]: (inputs: never) => Promise<unknown> } = {
  release: (inputs: ReleaseInputs) => release(inputs, (line) => console.error(line)),
  rollOut: ({ kubeconfig, ...goal }: ReleaseGoal & { readonly kubeconfig: string }) =>
    rollOut(new Cluster(kubeconfig), goal, (line) => console.error(line)),
  takeOver: ({ kubeconfig, namespace }: TakeOverInputs) => takeFromArgocd(new Cluster(kubeconfig), namespace),
};

try {
  const task = tasks[process.argv[2] ?? ""];
  if (task === undefined) throw new Error(`there is no task ${process.argv[2]}`);
  const result = await task(JSON.parse(await text(process.stdin)) as never);
  console.log(JSON.stringify({ result }));
} catch (error) {
  console.log(JSON.stringify({ error: explain(error) }));
}
