import { cpSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { stringify } from "yaml";
import { digestOf, readIfPresent } from "../local/files.ts";
import { resolveSettings } from "../local/settings.ts";

const source = join(import.meta.dirname, "peers");

/** Directory with the peers from npm, installed on demand outside the checkout. */
export async function providePeers(): Promise<string> {
  const manifest = readIfPresent(join(source, "package.json")) as string;
  const scripts = ["cdk8s.js", "script.js"].map((file) => readIfPresent(join(source, file)) as string);
  const cache = join(resolveSettings(process.env).cacheDir, "bench");
  const target = join(cache, digestOf(manifest, ...scripts));
  if (existsSync(target)) return target;
  const part = `${target}.${process.pid}.part`;
  mkdirSync(cache, { recursive: true });
  try {
    cpSync(source, part, { recursive: true });
    await execa("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts"], { cwd: part });
    renameSync(part, target);
  } finally {
    rmSync(part, { recursive: true, force: true });
  }
  return target;
}

export interface KubernetesObject {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels: { readonly [label: string]: string } };
}

/** Name of the workload that the chart's templates are made of. */
const pattern = "workload-0";

/**
 * The objects as a person would write the chart: one template a kind, and the workloads as a value. Every workload is
 * like the first one but for its name and its ConfigMap's.
 */
export function writeRangeChart(directory: string, objects: readonly KubernetesObject[]): void {
  const nameOf = ({ metadata }: KubernetesObject) => metadata.labels["app.kubernetes.io/name"] as string;
  const configs = objects.filter(({ kind }) => kind === "ConfigMap");
  const config = configs.find((object) => nameOf(object) === pattern)?.metadata.name as string;
  mkdirSync(join(directory, "templates"), { recursive: true });
  writeFileSync(
    join(directory, "Chart.yaml"),
    stringify({ apiVersion: "v2", name: "range", version: "0.0.0" }),
  );
  writeFileSync(
    join(directory, "values.yaml"),
    stringify({
      workloads: Object.fromEntries(configs.map((object) => [nameOf(object), object.metadata.name])),
    }),
  );
  for (const object of objects.filter((candidate) => nameOf(candidate) === pattern)) {
    const text = stringify(object).replaceAll(config, "{{ $config }}").replaceAll(pattern, "{{ $name }}");
    writeFileSync(
      join(directory, "templates", `${object.kind}.yaml`),
      `{{- range $name, $config := .Values.workloads }}\n---\n${text}{{- end }}\n`,
    );
  }
}
