import type { Stack } from "../config/load.ts";
import type { Platform } from "./platform.ts";

export type { Platform } from "./platform.ts";

/** Provides what the stack runs on. A kind's module is loaded only by the stacks that use it. */
export async function providePlatform({ config: { platform } }: Stack): Promise<Platform> {
  switch (platform.kind) {
    case "local": {
      const { localPlatform } = await import("./local.ts");
      return localPlatform(platform);
    }
  }
}
