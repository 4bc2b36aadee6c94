import type { StackConfig } from "../../infra/config/stack.ts";

/** How a local stack is delivered. `auto`: by the Pulumi CLI where there is one, else directly. */
export type Way = "auto" | "pulumi" | "direct";

/** Whether a stack runs on the environment that `npm start` brings up, rather than on a cluster of the user's. */
export function isEmbedded({ platform }: Pick<StackConfig, "platform">): boolean {
  return platform.kind === "local" && platform.context === undefined;
}
