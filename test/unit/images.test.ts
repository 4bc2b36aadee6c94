import * as pulumi from "@pulumi/pulumi";
import { describe, expect, test, vi } from "vitest";
import { InputError } from "../../infra/config/error.ts";
import type { StackConfig } from "../../infra/config/stack.ts";
import { imageOutputs, provideImages } from "../../infra/images/index.ts";
import type { Platform } from "../../infra/platform/index.ts";
import type { Application } from "../../infra/workloads/definition.ts";
import { minimal } from "../support/release.ts";

vi.mock("../../infra/images/buildNumber.ts", () => ({ buildNumber: () => "4711" }));

type ImagesConfig = StackConfig["images"];

const digest = `sha256:${"b".repeat(64)}`;
const platform = {
  registry: { server: "registry.example" },
  builder: { platform: "linux/amd64", baseImage: "platform/base:24", network: "host" },
} as unknown as Platform;

interface Built {
  readonly imageName: string;
  readonly build: Record<string, unknown>;
  readonly registry?: unknown;
}

const running = { api: { reference: `r/api@${digest}`, version: "12" } };

/** Outputs of the stacks that there are, by full name. */
const outputsOf: Record<string, unknown> = {
  "organization/shop/staging": { images: running },
  "organization/shop/dev": { images: running },
  "organization/bare/dev": { images: {} },
};

/** Provides images with the SDK's mocks. @returns what was built, by name, and the images that come out */
async function provide(
  images: ImagesConfig,
  {
    application = { api: minimal },
    project = "shop",
    on = platform,
  }: { application?: Application; project?: string; on?: Platform } = {},
) {
  const built: Record<string, Built> = {};
  await pulumi.runtime.setMocks(
    {
      newResource: ({ type, name, inputs }) => {
        if (type === "docker:index/image:Image") {
          built[name] = inputs;
          return {
            id: name,
            state: { ...inputs, repoDigest: `${inputs.imageName.replace(/:[^:/]+$/, "")}@${digest}` },
          };
        }
        return {
          id: name,
          state: { ...inputs, outputs: outputsOf[inputs.name] ?? {} },
        };
      },
      call: () => ({}),
    },
    project,
    "dev",
    false,
    "organization",
  );
  const provided = await provideImages(
    application,
    { project, name: "dev", config: { images } as StackConfig },
    on,
  );
  const known = await new Promise((resolve) => pulumi.output(imageOutputs(provided)).apply(resolve));
  return { built, known };
}

/** The message of the InputError that a call ends in. */
async function messageOf(attempt: Promise<unknown>): Promise<string> {
  return attempt.then(
    () => "accepted",
    (error: unknown) => {
      expect(error).toBeInstanceOf(InputError);
      return (error as InputError).message;
    },
  );
}

describe("an image that is built", () => {
  test("is tagged with its build number, and runs as its digest", async () => {
    const { built, known } = await provide({ source: "build" });
    expect(built.api?.imageName).toBe("registry.example/shop/api:4711");
    expect(known).toEqual({ api: { reference: `registry.example/shop/api@${digest}`, version: "4711" } });
  });

  test("is named below the stack's repository where it sets one", async () => {
    const { built } = await provide({ source: "build", repository: "team/shop" });
    expect(built.api?.imageName).toBe("registry.example/team/shop/api:4711");
  });

  test.each<
    [
      rule: string,
      config: Partial<ImagesConfig>,
      args: { [name: string]: string } | undefined,
      expected: unknown,
    ]
  >([
    ["takes the platform's base image", {}, undefined, { BASE_IMAGE: "platform/base:24" }],
    [
      "takes the stack's base image before the platform's",
      { baseImage: "stack/base:1" },
      undefined,
      { BASE_IMAGE: "stack/base:1" },
    ],
    [
      "takes the definition's arguments before either",
      { baseImage: "stack/base:1" },
      { BASE_IMAGE: "own:1", A: "b" },
      { BASE_IMAGE: "own:1", A: "b" },
    ],
  ])("%s", async (_, config, args, expected) => {
    const image = { ...minimal.image, ...(args === undefined ? {} : { args }) };
    const { built } = await provide({ source: "build", ...config } as ImagesConfig, {
      application: { api: { ...minimal, image } },
    });
    expect(built.api?.build.args).toEqual(expected);
  });

  test("is for the cluster's nodes unless the stack says otherwise", async () => {
    expect((await provide({ source: "build" })).built.api?.build.platform).toBe("linux/amd64");
    expect((await provide({ source: "build", platform: "linux/arm64" })).built.api?.build.platform).toBe(
      "linux/arm64",
    );
  });

  test("is pushed as the registry's user where it has one, and as nobody where it asks nobody", async () => {
    const push = { username: "ci", password: pulumi.secret("hunter2") };
    const on = { ...platform, registry: { ...platform.registry, push } };
    expect((await provide({ source: "build" }, { on })).built.api?.registry).toMatchObject({
      value: { server: "registry.example", username: "ci", password: "hunter2" },
    });
    expect((await provide({ source: "build" })).built.api).not.toHaveProperty("registry");
  });

  test.each([
    ["its Dockerfile is missing", { context: "app/nosuch" }, "app/nosuch/Dockerfile"],
    ["the Dockerfile that it names is missing", { context: "app/api", dockerfile: "Other" }, "app/api/Other"],
  ])("is refused before anything is built when %s", async (_, image, path) => {
    expect(
      await messageOf(provide({ source: "build" }, { application: { worker: { ...minimal, image } } })),
    ).toBe(
      `infra/application.ts: worker.image = "${path}": is a Dockerfile that does not exist. Add it, or correct image.context or image.dockerfile.`,
    );
  });

  test("is refused when the project's name, its default repository, is no image name", async () => {
    expect(await messageOf(provide({ source: "build" }, { project: "Shop" }))).toBe(
      'slipway:images.repository = "Shop": must be an image name: lower-case letters, digits and single separators (. _ __ - /). Its default is the project\'s name: set another one.',
    );
  });
});

describe("an image that is promoted", () => {
  const stack = "organization/shop/staging";

  test("is the other stack's, digest and build number, and nothing is built", async () => {
    const { built, known } = await provide({ source: "promote", stack });
    expect(built).toEqual({});
    expect(known).toEqual({ api: { reference: `r/api@${digest}`, version: "12" } });
  });
});

describe("an image of a build that was handed over", () => {
  const workloads = { api: { reference: `registry.example/shop/api@${digest}`, version: "4711" } };

  test("is that build's, digest and build number, and nothing is built", async () => {
    const { built, known } = await provide({ source: "digests", release: { build: "4711", workloads } });
    expect(built).toEqual({});
    expect(known).toEqual(workloads);
  });

  test("is the one that the stack runs when no build is handed over", async () => {
    const { built, known } = await provide({ source: "digests" });
    expect(built).toEqual({});
    expect(known).toEqual(running);
  });

  test.each(["bare", "new"])("is refused where the stack runs none: %s", async (project) => {
    expect(await messageOf(provide({ source: "digests" }, { project }))).toBe(
      "slipway:images.release: is required as long as the stack runs no build. Hand one over: npm run promote -- --to dev, or npm run ci:deploy -- --stack dev --images FILE.",
    );
  });

  test("is refused where the build is from before the workload was added", async () => {
    expect(
      await messageOf(
        provide(
          { source: "digests", release: { build: "4711", workloads } },
          { application: { api: minimal, worker: minimal } },
        ),
      ),
    ).toBe(
      'slipway:images.release = "4711": has no image of worker: it was built when the application did not have it. Deploy a build of this commit, or check out the commit of that build.',
    );
  });

  test("may be none at all: a stack has its platform before its first build", async () => {
    const { built, known } = await provide({
      source: "digests",
      release: { build: "none", workloads: {} },
    });
    expect(built).toEqual({});
    expect(known).toEqual({});
  });
});
