import { existsSync } from "node:fs";
import { join } from "node:path";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { InputError } from "../config/error.ts";
import { imageRepository } from "../config/primitives.ts";
import type { Platform } from "../platform/platform.ts";
import { root } from "../projectRoot.ts";
import type { Application, Workload } from "../workloads/definition.ts";
import type { RunnableImage } from "../workloads/release.ts";
import { buildNumber } from "./buildNumber.ts";

interface BuildSettings {
  /** Path before the workload's name. */
  readonly repository: string;
  readonly baseImage?: string | undefined;
  /** `os/architecture`. */
  readonly platform?: string | undefined;
}

function requireDockerfile(name: string, path: string, shown: string): void {
  if (existsSync(path)) return;
  throw new InputError({
    key: `infra/application.ts: ${name}.image`,
    value: shown,
    rule: "is a Dockerfile that does not exist",
    hint: "Add it, or correct image.context or image.dockerfile",
  });
}

/** How an image is built, and under which tag. */
export interface Build {
  /** Absolute path of the build context. */
  readonly context: string;
  /** Absolute path. */
  readonly dockerfile: string;
  readonly args: { readonly [name: string]: string };
  /** `os/architecture`. */
  readonly platform: string;
  readonly network?: string;
}

/** What a platform's Docker engine says of builds. */
interface BuilderDefaults {
  readonly platform: string;
  readonly baseImage?: string | undefined;
  readonly network?: string | undefined;
}

/**
 * How a workload's image is built, and the build number that is its tag.
 *
 * @throws InputError when its Dockerfile is missing
 */
export function buildOf(
  name: string,
  { image }: Workload,
  settings: Omit<BuildSettings, "repository">,
  builder: BuilderDefaults,
): { readonly build: Build; readonly version: string } {
  const context = join(root, image.context);
  const dockerfile = join(context, image.dockerfile ?? "Dockerfile");
  requireDockerfile(name, dockerfile, join(image.context, image.dockerfile ?? "Dockerfile"));
  const baseImage = settings.baseImage ?? builder.baseImage;
  return {
    version: buildNumber(context, process.env),
    build: {
      context,
      dockerfile,
      args: { ...(baseImage === undefined ? {} : { BASE_IMAGE: baseImage }), ...image.args },
      platform: settings.platform ?? builder.platform,
      ...(builder.network === undefined ? {} : { network: builder.network }),
    },
  };
}

function buildImage(
  name: string,
  workload: Workload,
  settings: BuildSettings,
  { registry, builder }: Platform,
): RunnableImage {
  const { build, version } = buildOf(name, workload, settings, builder);
  const built = new docker.Image(
    name,
    {
      imageName: pulumi.interpolate`${registry.server}/${settings.repository}/${name}:${version}`,
      build,
      ...(registry.push === undefined
        ? {}
        : {
            registry: {
              server: registry.server,
              username: registry.push.username,
              password: registry.push.password,
            },
          }),
    },
    builder.provider === undefined ? {} : { provider: builder.provider },
  );
  return { reference: built.repoDigest, version };
}

/**
 * Builds and pushes the image of each workload, tagged with its build number.
 *
 * @throws InputError when the repository's name is not an image name, or a Dockerfile is missing
 */
export function buildImages(
  application: Application,
  settings: BuildSettings,
  platform: Platform,
): { [workload: string]: RunnableImage } {
  const checked = imageRepository.safeParse(settings.repository);
  if (!checked.success) {
    throw new InputError({
      key: "slipway:images.repository",
      value: settings.repository,
      rule: checked.error.issues[0]?.message ?? "is not an image name",
      hint: "Its default is the project's name: set another one",
    });
  }
  return Object.fromEntries(
    Object.entries(application).map(([name, workload]) => [
      name,
      buildImage(name, workload, settings, platform),
    ]),
  );
}
