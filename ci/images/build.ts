import { images as imagesSchema } from "../../infra/config/images.ts";
import { buildOf } from "../../infra/images/build.ts";
import type { Application, Workload } from "../../infra/workloads/definition.ts";
import { buildImage, dockerClient, type ImageInputs, pushImage } from "../../local/deliver/image.ts";
import { projectName, readStackFile } from "../../local/deliver/project.ts";
import type { Outputs } from "../stack.ts";
import { valuesOf } from "../stackFile.ts";
import { checkImage, removeLeftovers } from "./check.ts";

type Platform = NonNullable<Outputs["platform"]>;

/** Has Node.js, and is the default base of the Dockerfiles. */
const defaultProbeImage = "node:24-bookworm-slim";

/** How a stack's own file says that images are built; `build` with its defaults where it says otherwise. */
function settingsOf(stack: string) {
  const parsed = imagesSchema.parse(valuesOf(readStackFile(stack)).images ?? { source: "build" });
  const settings = parsed.source === "build" ? parsed : { baseImage: undefined, platform: undefined };
  const repository = parsed.source === "promote" ? undefined : parsed.repository;
  return { ...settings, repository: repository ?? projectName() };
}

/** An image that is built, and not pushed yet. */
export class BuiltImage {
  readonly name: string;
  readonly version: string;
  readonly #application: Application;
  readonly #inputs: ImageInputs;
  readonly #platform: Platform;
  readonly #report: (line: string) => void;

  /** @param stack the stack whose registry and Docker engine are used */
  constructor(
    application: Application,
    name: string,
    { stack, platform }: { readonly stack: string; readonly platform: Platform },
    report: (line: string) => void,
  ) {
    const settings = settingsOf(stack);
    const { build, version } = buildOf(name, application[name] as Workload, settings, platform.builder);
    const { server, push } = platform.registry;
    this.#inputs = {
      imageName: `${server}/${settings.repository}/${name}:${version}`,
      build,
      ...(push === undefined ? {} : { registry: { server, ...push } }),
    };
    this.name = name;
    this.version = version;
    this.#application = application;
    this.#platform = platform;
    this.#report = report;
  }

  get tag(): string {
    return this.#inputs.imageName;
  }

  get #client() {
    return dockerClient(this.#platform.builder.host, this.#report);
  }

  async build(): Promise<void> {
    await buildImage(this.name, this.#inputs, this.#client);
  }

  /** @throws Fault when it would not run as a pod */
  async check(): Promise<void> {
    await removeLeftovers(this.#client);
    await checkImage({
      application: this.#application,
      name: this.name,
      tag: this.tag,
      probeImage: this.#platform.builder.baseImage ?? defaultProbeImage,
      client: this.#client,
    });
  }

  /** @returns `repository@sha256:…` */
  async push(): Promise<string> {
    return pushImage(this.#inputs, this.#client);
  }
}
