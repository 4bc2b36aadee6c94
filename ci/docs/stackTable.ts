import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { application } from "../../infra/application.ts";
import { parseStackConfig } from "../../infra/config/parse.ts";
import { configNamespace } from "../../infra/config/stack.ts";
import { cores, isBurstable } from "../../infra/config/vmSize.ts";

/** Monthly cost of one: low in tens, medium about a hundred, high in several hundreds of dollars or euros. */
type CostClass = "free" | "low" | "medium" | "high";

function vmCost(size: string): CostClass {
  if (isBurstable(size)) return cores(size) <= 2 ? "low" : "medium";
  return cores(size) <= 4 ? "medium" : "high";
}

const tierCost: Record<string, CostClass> = { Free: "free", Standard: "medium", Premium: "high" };
const registryCost: Record<string, CostClass> = { Basic: "low", Standard: "low", Premium: "medium" };

function serverCost(size: string): CostClass {
  if (size.startsWith("Standard_B")) return "low";
  return cores(size) <= 2 ? "medium" : "high";
}

/** The cost class of a SKU, by the key that holds it; nothing for what costs nothing by itself. */
function costClass(key: string, value: string): CostClass | undefined {
  if (key.endsWith(".vmSize")) return vmCost(value);
  if (key === "platform.cluster.tier") return tierCost[value];
  if (key === "database.sku") return serverCost(value);
  if (key === "platform.registry.sku") return registryCost[value];
  return undefined;
}

/** Leaves of a configuration by dotted key; a list is a leaf. */
function leaves(value: unknown, key = ""): [key: string, value: string][] {
  if (value === undefined) return [];
  if (Array.isArray(value)) return [[key, value.length === 0 ? "none" : value.join(", ")]];
  if (typeof value !== "object" || value === null) return [[key, String(value)]];
  return Object.entries(value).flatMap(([name, inner]) =>
    leaves(inner, key === "" ? name : `${key}.${name}`),
  );
}

function configuration(root: string, stack: string): Map<string, string> {
  const { config } = parse(readFileSync(`${root}/Pulumi.${stack}.yaml`, "utf8")) as {
    config: Record<string, unknown>;
  };
  const raw = Object.fromEntries(
    Object.entries(config).map(([key, value]) => [key.replace(`${configNamespace}:`, ""), value]),
  );
  return new Map(leaves(parseStackConfig(raw, { stack, workloads: Object.keys(application) })));
}

/** A Markdown table of every value, defaults filled in, in which two stacks differ. */
export function stackTable(root: string, one: string, other: string): string {
  const [left, right] = [configuration(root, one), configuration(root, other)];
  const shown = (key: string, values: Map<string, string>) => {
    const value = values.get(key);
    if (value === undefined) return "";
    const cost = costClass(key, value);
    return cost === undefined ? value : `${value} (${cost})`;
  };
  const rows = [...new Set([...left.keys(), ...right.keys()])]
    .filter((key) => key !== "namespace" && left.get(key) !== right.get(key))
    .map((key) => [`\`${key}\``, shown(key, left), shown(key, right)]);
  const all = [["", one, other], ...rows];
  const widths = [0, 1, 2].map((column) => Math.max(...all.map((row) => (row[column] as string).length)));
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] as number)).join(" | ")} |`;
  const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
  return [line(all[0] as string[]), rule, ...rows.map(line)].join("\n");
}
