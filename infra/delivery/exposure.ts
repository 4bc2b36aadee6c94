import { InputError, type Problem } from "../config/error.ts";
import type { Exposure } from "../config/exposure.ts";
import type { Platform } from "../platform/index.ts";

/**
 * Makes sure that the platform can give what the stack asks for: a NodePort needs a node that clients can reach, a
 * load balancer needs somebody to provide it.
 *
 * @throws InputError that names the workload and what would work
 */
export function requireExposable(
  exposures: { readonly [workload: string]: Exposure },
  { nodeAddress, loadBalancers }: Platform["cluster"],
): void {
  const problems = Object.entries(exposures).flatMap(([name, { type }]): Problem[] => {
    const key = `slipway:exposure.${name}.type`;
    if (type === "NodePort" && nodeAddress === undefined) {
      return [
        {
          key,
          value: type,
          rule: "has no address on this platform: its nodes cannot be reached from outside",
          hint: "Use LoadBalancer",
        },
      ];
    }
    if (type === "LoadBalancer" && !loadBalancers) {
      return [
        {
          key,
          value: type,
          rule: "never gets an address here: the embedded environment has no load balancer",
          hint: "Use NodePort",
        },
      ];
    }
    return [];
  });
  if (problems.length > 0) throw new InputError(problems);
}
