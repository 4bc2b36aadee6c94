import { takesOver } from "../config/delivery.ts";
import type { Stack } from "../config/load.ts";
import { referencesOf } from "../config/secrets.ts";
import { databaseChoices } from "../database/fixed.ts";
import { keepsVolume } from "../database/index.ts";
import type { Application } from "../workloads/definition.ts";
import type { Platform } from "./platform.ts";

export type { Platform } from "./platform.ts";
export { sharePlatform } from "./shared.ts";

/** Provides what the stack runs on. A kind's module is loaded only by the stacks that use it. */
export async function providePlatform(application: Application, stack: Stack): Promise<Platform> {
  const { project, name, config } = stack;
  const workloads = Object.keys(application);
  const keep = keepsVolume(application, stack);
  const { platform, images, namespace } = config;
  // Promoted images are in another stack's registry: a stack of the platform azure has no such ones.
  const repository = images.source === "promote" ? undefined : images.repository;
  const takeOver = takesOver(config.delivery);
  switch (platform.kind) {
    case "local": {
      const { localPlatform } = await import("./local.ts");
      return localPlatform(platform, { project, stack: name, namespace, takeOver, keep });
    }
    case "shared": {
      const { sharedPlatform } = await import("./shared.ts");
      return sharedPlatform(platform, {
        project,
        stack: name,
        namespace,
        references: referencesOf(config),
        takeOver,
        keep,
        ingresses: workloads.filter((workload) => config.exposure[workload]?.type === "Ingress"),
      });
    }
    case "azure": {
      const { azurePlatform } = await import("./azure/index.ts");
      return azurePlatform(platform, {
        project,
        stack: name,
        namespace,
        repositories: workloads.map((workload) => `${repository ?? project}/${workload}`),
        references: referencesOf(config),
        databaseChoices: databaseChoices(config.database),
        takeOver,
      });
    }
  }
}
