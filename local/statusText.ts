import { styleText } from "node:util";
import { NAME } from "./settings.ts";
import type { StackState, WorkloadState } from "./stackStatus.ts";
import type { ApplicationState, EnvironmentStatus } from "./status.ts";

type Colour = "green" | "yellow" | "red" | "dim" | "bold" | "cyan";

/** Text in a colour, where standard output is a terminal that shows it. */
function coloured(colour: Colour, text: string): string {
  return styleText(colour, text);
}

const colours: { readonly [word: string]: Colour } = {
  up: "green",
  ready: "green",
  Synced: "green",
  Healthy: "green",
  partial: "yellow",
  Progressing: "yellow",
  Paused: "yellow",
  OutOfSync: "yellow",
  down: "red",
  Degraded: "red",
  Missing: "red",
};

/** A word that tells how something is, in the colour that goes with it. */
function word(text: string): string {
  const colour = colours[text];
  return colour === undefined ? text : coloured(colour, text);
}

function workloadLine(
  { name, build, ready, wanted, health, url }: WorkloadState,
  width: number,
  builds: number,
): string {
  const pods = `${ready}/${wanted} pods`.padEnd(11);
  return [
    `    ${name.padEnd(width)}`,
    build.padEnd(builds),
    ready >= wanted ? pods : coloured("yellow", pods),
    word(health),
    ...(url === undefined ? [] : [coloured("cyan", url)]),
  ].join("  ");
}

function stackLines(
  { name, namespace, workloads }: StackState,
  applications: readonly ApplicationState[],
): string[] {
  const application = applications.find((candidate) => candidate.name === namespace);
  const synced =
    application === undefined
      ? ""
      : `  ${word(application.sync)}, ${word(application.health)}${application.revision ? ` at ${application.revision.slice(0, 10)}` : ""}`;
  const width = Math.max(...workloads.map((workload) => workload.name.length));
  const builds = Math.max(...workloads.map(({ build }) => build.length));
  return [
    `  ${coloured("bold", `stack ${name}`.padEnd(24))}${synced}`.trimEnd(),
    ...workloads.map((workload) => workloadLine(workload, width, builds)),
  ];
}

/** The status for people. */
export function formatStatus(status: EnvironmentStatus): string {
  const { state, processes, residentMiB, node, dns, kubeconfig, registry, dockerHost } = status;
  if (state === "absent") return "local environment: absent";
  const rows = processes.map(({ name, pid, residentMiB: own }) =>
    pid === undefined
      ? `  ${name.padEnd(24)} ${coloured("red", "not running")}`
      : `  ${name.padEnd(24)} pid ${String(pid).padEnd(8)} ${own} MiB`,
  );
  const { applications = [], stacks = [] } = status;
  const others = applications.filter(({ name }) => !stacks.some(({ namespace }) => namespace === name));
  return [
    `local environment: ${word(state)}, ${residentMiB} MiB resident`,
    ...rows,
    `  ${"node".padEnd(24)} ${word(node)}`,
    `  ${"cluster DNS".padEnd(24)} ${word(dns)}`,
    `  ${"pods".padEnd(24)} ${status.podsMiB} MiB`,
    ...stacks.flatMap((stack) => stackLines(stack, applications)),
    ...others.map(
      ({ name, sync, health }) => `  ${`stack ${name}`.padEnd(24)} ${word(sync)}, ${word(health)}`,
    ),
    ...(kubeconfig === undefined
      ? []
      : [
          coloured("dim", `kubeconfig  ${kubeconfig} (context ${NAME})`),
          coloured("dim", `registry    ${registry}`),
          coloured("dim", `DOCKER_HOST ${dockerHost}`),
        ]),
  ].join("\n");
}
