import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { Fault } from "../infra/fault.ts";
import { DEFAULT_STATE_DIR } from "./descriptor.ts";
import { writeFileAtomic } from "./files.ts";
import { loadToolImage, toolImage } from "./images.ts";
import type { Settings } from "./settings.ts";
import { rolloutsTools } from "./toolFamilies.ts";
import { provideTools } from "./tools.ts";

/** What a program needs to know to install Argo Rollouts in the environment. */
const rolloutsDescriptor = z.strictObject({
  /** Path of the release's manifests. */
  manifests: z.string().min(1),
  /** Loaded image that stands for the release's. */
  image: z.string().min(1),
});

type RolloutsDescriptor = z.infer<typeof rolloutsDescriptor>;

function descriptorPath(stateDir: string): string {
  return join(stateDir, "rollouts.json");
}

/** Builds Argo Rollouts, or looks that it is there, loads its image, and tells programs of both. */
export async function provideRollouts(settings: Settings, onLine: (line: string) => void): Promise<void> {
  const tools = await provideTools(settings, rolloutsTools, onLine);
  // Its manifests ask for a user other than root, and leave it to the image which.
  const image = { ...toolImage(tools, "rollouts-controller"), user: 999 };
  onLine("image");
  await loadToolImage(settings, image);
  const descriptor: RolloutsDescriptor = {
    manifests: join(tools.share, "install.yaml"),
    image: image.reference,
  };
  writeFileAtomic(descriptorPath(settings.stateDir), `${JSON.stringify(descriptor, undefined, 2)}\n`);
}

/**
 * Where the environment has Argo Rollouts.
 *
 * @throws Fault when it was started without
 */
export function readRolloutsDescriptor(stateDir: string = DEFAULT_STATE_DIR): RolloutsDescriptor {
  try {
    return rolloutsDescriptor.parse(JSON.parse(readFileSync(descriptorPath(stateDir), "utf8")));
  } catch {
    throw new Fault({
      what: "Argo Rollouts",
      rule: "must be in the environment for a workload with the strategy canary or blueGreen",
      fix: "run `npm start`, or name a release of your own in slipway:rollouts.install",
    });
  }
}
