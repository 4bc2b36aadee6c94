import type { LocalPlatform } from "../../infra/config/platform.ts";
import type { StackConfig } from "../../infra/config/stack.ts";

/** How a local stack is delivered. `auto`: by the Pulumi CLI where there is one, else directly. */
export type Way = "auto" | "pulumi" | "direct";

/** Configuration of a stack that runs on a cluster which is there already. */
export type LocalStackConfig = StackConfig & { readonly platform: LocalPlatform };
