import type { LocalPlatform } from "../../infra/config/platform.ts";
import type { StackConfig } from "../../infra/config/stack.ts";

/** How a local stack is delivered. `auto`: by the Pulumi CLI where there is one, else directly. */
export type Way = "auto" | "pulumi" | "direct";

/** Configuration of a stack that runs on a cluster which is there already. */
export type LocalStackConfig = StackConfig & { readonly platform: LocalPlatform };

/** Whether a stack runs on the environment that `npm start` brings up, rather than on a cluster of the user's. */
export function isEmbedded({ platform }: LocalStackConfig): boolean {
  return platform.context === undefined;
}
