import { homedir } from "node:os";
import { join } from "node:path";
import type { ListrTask } from "listr2";
import { application } from "../../infra/application.ts";
import type { DeliveryConfig } from "../../infra/config/delivery.ts";
import { parseStackConfig } from "../../infra/config/parse.ts";
import { isEmbedded } from "../../infra/config/platform.ts";
import { configNamespace } from "../../infra/config/stack.ts";
import { Fault } from "../../infra/fault.ts";
import type { Released } from "../../infra/gitops/release.ts";
import { kubeconfigFiles, readKubeconfigContext } from "../../infra/platform/kubeconfig.ts";
import { checkApplication } from "../../infra/workloads/check.ts";
import { isProgressive } from "../../infra/workloads/release.ts";
import { readDescriptor } from "../descriptor.ts";
import { type Delivered, deliverDirectly, destroyDirectly, type Reporter } from "./direct.ts";
import { deliverByEngine, findPulumi, LocalStack, type PulumiCli } from "./engine.ts";
import { projectName, stackConfig, withDelivery } from "./project.ts";
import type { LocalStackConfig, Way } from "./way.ts";

export interface DeliveryContext {
  cli?: PulumiCli;
  outputs?: Record<string, unknown>;
  /** Rollouts that somebody has to promote. */
  waiting?: readonly string[];
}

function reporter(task: { output: unknown }): Reporter {
  return {
    progress: (line) => {
      task.output = line;
    },
  };
}

/**
 * A local stack's configuration and application, checked before anything is started.
 *
 * @throws InputError when either breaks a rule, Fault when the stack runs elsewhere
 */
export function readLocalStack(stack: string, delivery?: DeliveryConfig["kind"]): LocalStackConfig {
  const prefix = `${configNamespace}:`;
  const own = Object.entries(withDelivery(stackConfig(stack), delivery)).filter(([key]) =>
    key.startsWith(prefix),
  );
  const raw = Object.fromEntries(own.map(([key, value]) => [key.slice(prefix.length), value]));
  const config = parseStackConfig(raw, { stack, workloads: Object.keys(application) });
  checkApplication(application, config);
  const { platform } = config;
  if (platform.kind !== "local") {
    throw new Fault({
      what: `Pulumi.${stack}.yaml: slipway:platform.kind`,
      value: platform.kind,
      rule: "must be local: npm start delivers local stacks only",
      fix: `run pulumi up --stack ${stack}`,
    });
  }
  return { ...config, platform };
}

/** Whether the stack takes Argo Rollouts from the environment. */
export function needsRollouts(config: LocalStackConfig): boolean {
  return config.rollouts.install !== null && isProgressive(application, config);
}

/** Directory of the stack's Pulumi state: with the embedded environment, whose end it shares, else the user's. */
function stateDirectory(environmentState: string | undefined): string {
  const base =
    environmentState ??
    join(process.env.XDG_STATE_HOME ?? join(homedir(), ".local/state"), "slipway", projectName());
  return join(base, "pulumi");
}

export interface DeliveryOptions {
  readonly stack: string;
  readonly way: Way;
  /** Another delivery than the stack's file has. */
  readonly delivery?: DeliveryConfig["kind"] | undefined;
  /** State directory of the embedded environment, where the stack uses it. */
  readonly environmentState: string | undefined;
}

function findCli(way: Way): ListrTask<DeliveryContext> {
  return {
    title: "Pulumi CLI",
    enabled: () => way !== "direct",
    task: async (context, task) => {
      const cli = await findPulumi(process.env);
      if (cli !== undefined) {
        context.cli = cli;
        task.title = `Pulumi CLI ${cli.version}`;
      } else if (way === "pulumi") {
        throw new Fault({
          what: "pulumi",
          rule: "must be on PATH, or to be had from npm",
          fix: "install the Pulumi CLI, or use --deliver direct",
        });
      } else {
        task.title = "No Pulumi CLI on PATH and none to be had from npm: directly, without state";
      }
    },
  };
}

function countChanges(changes: Delivered["changes"]): string {
  return Object.entries(changes)
    .filter(([, count]) => count > 0)
    .map(([change, count]) => `${count} ${change}`)
    .join(", ");
}

/** The steps that deliver a local stack. */
export function deliveryTasks({
  stack,
  way,
  delivery,
  environmentState,
}: DeliveryOptions): ListrTask<DeliveryContext>[] {
  return [
    findCli(way),
    {
      title: "Deliver",
      task: async (context, task) => {
        const report = reporter(task);
        const config = withDelivery(stackConfig(stack), delivery);
        if (context.cli !== undefined) {
          context.outputs = await deliverByEngine(context.cli, {
            directory: stateDirectory(environmentState),
            stack,
            config,
            report,
          });
          return;
        }
        const { outputs, changes, waiting } = await deliverDirectly({ stack, config, report });
        context.waiting = waiting;
        context.outputs = outputs;
        task.title = `Deliver: ${countChanges(changes)}`;
      },
    },
  ];
}

/** Content of the kubeconfig that a local stack's configuration names. */
function kubeconfigOf(config: LocalStackConfig): string {
  if (isEmbedded(config.platform)) {
    const { kubeconfig, context } = readDescriptor();
    return readKubeconfigContext([kubeconfig], context).content;
  }
  const { kubeconfig, context } = config.platform;
  return readKubeconfigContext(kubeconfigFiles(kubeconfig, process.env), context as string).content;
}

/** The steps that delete what a local stack has in its cluster. */
export function destroyTasks(
  config: LocalStackConfig,
  { stack, way, environmentState }: DeliveryOptions,
): ListrTask<DeliveryContext>[] {
  return [
    findCli(way),
    {
      title: "Destroy",
      task: async (context, task) => {
        const report = reporter(task);
        if (context.cli !== undefined) {
          const engine = new LocalStack(context.cli, {
            directory: stateDirectory(environmentState),
            stack,
            config: stackConfig(stack),
            report,
          });
          await engine.open();
          await engine.destroy();
          return;
        }
        task.title = `Destroy: ${await destroyDirectly(kubeconfigOf(config), { stack, report })} deleted`;
      },
    },
  ];
}

/** What a person wants to know at the end: where to look, and which build runs. */
export function deliverySummary({ outputs = {}, waiting = [] }: DeliveryContext): string {
  const urls = (outputs.urls ?? {}) as Record<string, string>;
  const images = (outputs.images ?? {}) as Record<string, { version: string }>;
  const width = Math.max(0, ...Object.keys(urls).map((name) => name.length));
  const release = outputs.release as Released | undefined;
  return [
    ...Object.entries(urls).map(
      ([name, url]) => `${name.padEnd(width)}  ${url}  build ${images[name]?.version}`,
    ),
    ...waiting.map((rollout) => `\n${rollout} waits for its promotion; the old pods serve until then.`),
    ...(release?.proposed
      ? [
          "",
          `Proposed on the branch ${release.branch}: nothing is delivered before it is reviewed and merged.`,
        ]
      : []),
  ].join("\n");
}
