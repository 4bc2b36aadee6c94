import { takesOver } from "../config/delivery.ts";
import type { Stack } from "../config/load.ts";
import { referencesOf } from "../config/secrets.ts";
import type { Platform } from "./platform.ts";

export type { Platform } from "./platform.ts";
export { sharePlatform } from "./shared.ts";

/** Provides what the stack runs on. A kind's module is loaded only by the stacks that use it. */
export async function providePlatform(
  { project, name, config }: Stack,
  workloads: readonly string[],
): Promise<Platform> {
  const { platform, images, namespace } = config;
  const repositories =
    images.source !== "promote"
      ? workloads.map((workload) => `${images.repository ?? project}/${workload}`)
      : [];
  const takeOver = takesOver(config.delivery);
  switch (platform.kind) {
    case "local": {
      const { localPlatform } = await import("./local.ts");
      return localPlatform(platform, takeOver);
    }
    case "shared": {
      const { sharedPlatform } = await import("./shared.ts");
      return sharedPlatform(platform, {
        project,
        stack: name,
        namespace,
        references: referencesOf(config),
        takeOver,
        ingresses: workloads.filter((workload) => config.exposure[workload]?.type === "Ingress"),
      });
    }
    case "azure": {
      const { azurePlatform } = await import("./azure/index.ts");
      return azurePlatform(platform, {
        project,
        stack: name,
        namespace,
        repositories,
        references: referencesOf(config),
        takeOver,
      });
    }
  }
}
