import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { parse } from "yaml";
import { resolveSettings } from "../local/settings.ts";
import { helmTools } from "../local/toolFamilies.ts";
import { provideTools } from "../local/tools.ts";
import { Workspace } from "../test/support/workspace.ts";
import { type KubernetesObject, providePeers, writeRangeChart } from "./renderPeers.ts";
import { type Row, seconds } from "./table.ts";

const stack = "bench";

/** An application of so many workloads; each gives six objects. */
const applicationOf = (
  workloads: number,
) => `import { defineApplication, type Workload } from "./workloads/definition.ts";

const workload = (name: string): Workload => ({
  image: { context: "app/api" },
  ports: { http: 8080 },
  env: { GREETING: \`Hello from \${name}\` },
  config: { mountPath: "/app/config", files: { "config.json": { name, apiUrl: "http://api.example" } } },
  readiness: { path: "/readyz", port: "http" },
  liveness: { path: "/healthz", port: "http" },
  resources: { requests: { cpu: "50m", memory: "64Mi" }, limits: { memory: "192Mi" } },
});

const names = Array.from({ length: ${workloads} }, (_, index) => \`workload-\${index}\`);
export const application = defineApplication(Object.fromEntries(names.map((name) => [name, workload(name)])));
`;

interface Contestant {
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd?: string;
}

/** Runs a program with an empty directory to write to. Gives seconds, and MiB that it had at most. */
async function measure(
  { file, args, cwd }: Contestant,
  out: string,
): Promise<{ time: number; peak: number }> {
  rmSync(out, { recursive: true, force: true });
  let peak = 0;
  const time = await seconds(async () => {
    const running = execa(file, args, {
      stdin: "ignore",
      stdout: "ignore",
      ...(cwd === undefined ? {} : { cwd }),
    });
    const look = () => {
      try {
        const status = readFileSync(`/proc/${running.pid}/status`, "utf8");
        peak = Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1024 || peak;
      } catch {
        // It has ended.
      }
    };
    const looking = setInterval(look, 5);
    await running.finally(() => clearInterval(looking));
  });
  return { time, peak };
}

function objectsIn(tree: string): KubernetesObject[] {
  return readdirSync(tree, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".yaml") && !/(kustomization|stack)\.yaml$/.test(path))
    .map((path) => parse(readFileSync(join(tree, path), "utf8")) as KubernetesObject);
}

/** The contestants, all making the same objects, each a process of its own that writes to `out`. */
async function prepare(directory: string, out: string, workspace: Workspace): Promise<Contestant[]> {
  const render = ["local/slipway.js", "render", "--stack", stack, "--out"];
  const { bin } = await provideTools(resolveSettings(process.env), helmTools, () => {});
  const peers = await providePeers();
  const [tree, chart, range, objects] = ["tree", "chart", "range", "objects.json"].map((name) =>
    join(directory, name),
  ) as [string, string, string, string];
  await execa(process.execPath, [...render, tree], { cwd: workspace.path });
  await execa(process.execPath, [...render, chart, "--format", "helm"], { cwd: workspace.path });
  const list = objectsIn(tree);
  writeFileSync(objects, JSON.stringify(list));
  writeRangeChart(range, list);
  const helm = join(bin, "helm");
  for (const folder of [join(chart, stack), range]) {
    const { stdout } = await execa(helm, ["template", stack, folder]);
    const count = stdout.match(/^kind: /gm)?.length;
    if (count !== list.length) throw new Error(`helm makes ${count} objects of ${list.length}`);
  }
  const script = (name: string) => [join(peers, "script.js"), objects, out, name];
  return [
    {
      name: "helm template, one template a kind",
      file: helm,
      args: ["template", stack, range, "--output-dir", out],
    },
    {
      name: "helm template, the rendered chart",
      file: helm,
      args: ["template", stack, join(chart, stack), "--output-dir", out],
    },
    { name: "cdk8s synth", file: process.execPath, args: [join(peers, "cdk8s.js"), objects, out] },
    { name: "bare script, yaml", file: process.execPath, args: script("yaml") },
    { name: "bare script, js-yaml", file: process.execPath, args: script("js-yaml") },
    { name: "bare script, JSON", file: process.execPath, args: script("json") },
    { name: "npm run render", file: process.execPath, args: [...render, out], cwd: workspace.path },
  ];
}

/**
 * A thousand workloads of six objects: from definitions and configuration to files, against programs that write the
 * same objects from a list; and the growth from a hundred to ten thousand. Files go to memory where there is a file
 * system for that, so that the disk is not what is measured.
 */
export async function bench(rounds: number): Promise<Row[]> {
  const directory = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "slipway-bench-"));
  const workspace = new Workspace(stack);
  const out = join(directory, "out");
  try {
    workspace.configure({
      platform: { kind: "local", context: "own", registry: { server: "registry.example" } },
    });
    workspace.write("infra/application.ts", applicationOf(1000));
    const contestants = await prepare(directory, out, workspace);
    const times = new Map(contestants.map(({ name }) => [name, [] as number[]]));
    const peaks = new Map(contestants.map(({ name }) => [name, [] as number[]]));
    for (let round = 0; round < rounds; round += 1)
      for (const contestant of contestants) {
        const { time, peak } = await measure(contestant, out);
        times.get(contestant.name)?.push(time);
        peaks.get(contestant.name)?.push(peak);
      }
    const own = contestants.at(-1) as Contestant;
    const rows: Row[] = contestants.map((contestant) => ({
      name: contestant.name,
      unit: "s",
      values: times.get(contestant.name) ?? [],
      ...(contestant === own ? { against: { name: "helm template, one template a kind", goal: 0.5 } } : {}),
    }));
    for (const [workloads, goal] of [
      [100, 0.2],
      [10_000, 12],
    ] as const) {
      workspace.write("infra/application.ts", applicationOf(workloads));
      const values: number[] = [];
      for (let round = 0; round < Math.min(rounds, 3); round += 1)
        values.push((await measure(own, out)).time);
      rows.push({
        name: `npm run render, ${workloads} workloads`,
        unit: "s",
        values,
        ...(goal > 1 ? { against: { name: own.name, goal } } : {}),
      });
    }
    return [
      ...rows,
      ...contestants.map(
        (contestant): Row => ({
          name: `${contestant.name}, peak`,
          unit: "MiB",
          values: peaks.get(contestant.name) ?? [],
          ...(contestant === own ? { goal: 150 } : {}),
        }),
      ),
    ];
  } finally {
    workspace.remove();
    rmSync(directory, { recursive: true, force: true });
  }
}
