import { join } from "node:path";
import { application } from "../../infra/application.ts";
import { renderChart } from "../../infra/delivery/chart.ts";
import { header, renderingOf, renderStack } from "../../infra/delivery/render.ts";
import { Fault } from "../../infra/fault.ts";
import { checkApplication } from "../../infra/workloads/check.ts";
import { readOfflineStack } from "../manifests/offlineStack.ts";
import { writeTree } from "../manifests/tree.ts";
import { readOutputs, resolveValues } from "../manifests/values.ts";

export interface RenderOptions {
  readonly stack: string;
  readonly out: string;
  readonly images?: string;
  readonly values?: string;
  readonly strict?: boolean;
  readonly format?: keyof typeof formats;
}

/** The forms in which a stack is rendered. */
const formats = { kustomize: renderStack, helm: renderChart };

/** What is not known, and where it is to be had: one line. */
function explainUnresolved(unresolved: readonly string[], stack: string): string {
  const shown = unresolved.slice(0, 10).join(", ");
  const more = unresolved.length > 10 ? ` and ${unresolved.length - 10} more` : "";
  return `known only once the stack is deployed: ${shown}${more}. Supply by --values FILE, from: pulumi stack output --stack ${stack} --json`;
}

/**
 * Writes a stack's objects as files, without the Pulumi CLI, a login or a cluster.
 *
 * @throws InputError or Fault; the directory is as it was then
 */
export function render({
  stack: name,
  out,
  images,
  values,
  strict = false,
  format = "kustomize",
}: RenderOptions): void {
  const stack = readOfflineStack(name, application);
  checkApplication(application, stack.config);
  const outputs = readOutputs(
    { ...(values === undefined ? {} : { values }), ...(images === undefined ? {} : { images }) },
    name,
    application,
  );
  const resolved = resolveValues(application, stack, outputs);
  if (resolved.unresolved.length > 0) {
    if (strict)
      throw new Fault({
        what: "--strict",
        rule: `allows no placeholders, and these are ${explainUnresolved(resolved.unresolved, name)}`,
      });
    console.warn(`Placeholders stand for what is ${explainUnresolved(resolved.unresolved, name)}`);
  }
  const files = formats[format](renderingOf(application, stack, resolved.values, stack.seals));
  const own = header({ project: stack.project, stack: name });
  const isOwn = (content: string) => content.slice(0, content.indexOf("\n")).includes(own);
  const { written, removed, unchanged } = writeTree(out, name, files, isOwn);
  console.log(`${join(out, name)}: ${written} written, ${removed} removed, ${unchanged} unchanged`);
}
