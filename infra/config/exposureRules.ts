import type { z } from "zod";
import type { Exposure } from "./exposure.ts";
import { isEmbedded, type PlatformConfig } from "./platform.ts";

interface Problem {
  /** Key below the workload's exposure. */
  readonly key: string;
  readonly input: unknown;
  readonly message: string;
  readonly hint: string;
}

/** Why a platform cannot expose a workload so, if it cannot. */
function platformProblem(
  platform: PlatformConfig,
  { type, dnsLabel }: Pick<Exposure, "type"> & { readonly dnsLabel?: string | undefined },
): Problem | undefined {
  const refused = (message: string, hint: string) => ({ key: "type", input: type, message, hint });
  if (type === "NodePort" && platform.kind === "azure")
    return refused(
      "has no address on this platform: its nodes cannot be reached from outside",
      "Use LoadBalancer",
    );
  if (type === "LoadBalancer" && isEmbedded(platform))
    return refused(
      "never gets an address here: the embedded environment has no load balancer",
      "Use NodePort",
    );
  if (type === "Ingress" && platform.kind === "local")
    return refused(
      "needs the application routing of AKS, which a local platform does not have",
      "Use NodePort",
    );
  if (type === "Ingress" && platform.kind === "azure" && platform.cluster.appRouting === undefined)
    return refused(
      "needs the application routing of AKS, which is off",
      "Set slipway:platform.cluster.appRouting: {}",
    );
  if (type === "LoadBalancer" && dnsLabel !== undefined && platform.kind === "local")
    return {
      key: "dnsLabel",
      input: dnsLabel,
      message: "is a name that Azure gives, and a local platform does not",
      hint: "Remove it",
    };
  return undefined;
}

/** The types that give a workload a public address on this platform, for people. */
export function publicTypes(platform: PlatformConfig): string {
  const types = (["NodePort", "LoadBalancer", "Ingress"] as const).filter(
    (type) => platformProblem(platform, { type }) === undefined,
  );
  return types.join(", ").replace(/, (\w+)$/, " or $1");
}

const nouns: { readonly [key: string]: string } = { nodePort: "port", dnsLabel: "name", host: "host name" };

/** What only one workload can have. */
function claims(exposure: Exposure): { readonly [key: string]: string | number | undefined } {
  switch (exposure.type) {
    case "NodePort":
      return { nodePort: exposure.nodePort };
    case "LoadBalancer":
      return { dnsLabel: exposure.dnsLabel };
    case "Ingress":
      return { host: exposure.host };
    case "ClusterIP":
      return {};
  }
}

/** Refuses exposures that the platform does not have, and two workloads at one address. */
export function checkExposure(
  platform: PlatformConfig,
  exposures: { readonly [workload: string]: Exposure },
  context: z.RefinementCtx,
): void {
  const owners = new Map<string, string>();
  for (const [workload, exposure] of Object.entries(exposures)) {
    const problem = platformProblem(platform, exposure);
    const problems = problem === undefined ? [] : [problem];
    for (const [key, input] of Object.entries(claims(exposure))) {
      if (input === undefined) continue;
      const owner = owners.get(`${key} ${input}`);
      if (owner !== undefined) {
        const message = `is used twice: exposure.${owner}.${key} has it too`;
        problems.push({ key, input, message, hint: `Give each workload a ${nouns[key]} of its own` });
      }
      owners.set(`${key} ${input}`, workload);
    }
    for (const { key, input, message, hint } of problems)
      context.addIssue({
        code: "custom",
        path: ["exposure", workload, key],
        input,
        message,
        params: { hint },
      });
  }
}
