import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { promote } from "../../../ci/commands/promote.ts";
import { application } from "../../../infra/application.ts";
import { digest, Pipeline, release, update } from "../../support/pipeline.ts";

const build = release("4711", "a");
const options = { from: "dev", to: "prod", wait: 0, smoke: 0 };
let pipeline: Pipeline;

beforeEach(async () => {
  pipeline = await Pipeline.create();
  pipeline.runs("dev", build);
  const prod = pipeline.outputsOf(build);
  pipeline.outputs("prod", { ...prod, images: release("4700", "b").workloads });
  pipeline.after("prod", prod);
});

test("prod gets the digests that dev runs, and nothing is built or copied", async () => {
  await promote({ ...options, images: pipeline.file("images.json", build) });
  expect(pipeline.givenImages("prod")).toEqual({
    source: "digests",
    release: { ...build, by: "jane" },
  });
  expect(pipeline.changes()).toEqual([
    "up --yes --skip-preview --refresh --config-file FILE --message Promote build 4711 (aaaaaaaaaa) from dev by jane --stack prod",
  ]);
  expect(pipeline.calls("docker")).toEqual([]);
  expect(pipeline.printed.join("\n")).toContain(`frontend  http://${pipeline.world.address}  build 4711`);
});

test("without a record, it is what dev runs", async () => {
  await promote(options);
  expect(pipeline.givenImages("prod")).toMatchObject({ release: { workloads: build.workloads } });
});

describe("a build that dev does not run well is refused, and prod is not touched:", () => {
  const refused = async (message: RegExp) => {
    await expect(promote({ ...options, images: pipeline.file("images.json", build) })).rejects.toThrow(
      message,
    );
    expect(pipeline.changes()).toEqual([]);
  };

  test("dev runs another one", async () => {
    pipeline.runs("dev", release("4712", "c"));
    await refused(
      /^promotion of build 4711 \(aaaaaaaaaa\) to prod: is refused: dev does not run it well\n {2}\| dev runs build 4712 \(cccccccccc\), not build 4711 \(aaaaaaaaaa\)/,
    );
  });

  test("dev's last deployment failed", async () => {
    pipeline.history("dev", [update(build, { result: "failed" }), update(build)]);
    await refused(/the last deployment of dev has ended as failed/);
  });

  test("a pod is not available", async () => {
    pipeline.world.deployments.set("api", { image: build.workloads.api?.reference as string, available: 1 });
    await refused(/api: 1 of 2 pods are available/);
  });

  test("somebody has changed the image in the cluster", async () => {
    pipeline.world.deployments.set("api", { image: "registry.example/slipway/api:latest" });
    await refused(/api: runs registry\.example\/slipway\/api:latest/);
  });

  test("its URL does not answer", async () => {
    pipeline.world.answers.set("/readyz", 503);
    await refused(/frontend: http:\/\/127\.0\.0\.1:\d+\/readyz answers HTTP 503/);
  });
});

test("force needs a reason, and keeps who and why in the record and in the history", async () => {
  pipeline.world.answers.set("/readyz", 503);
  await expect(promote({ ...options, force: true })).rejects.toThrow("--reason: is required with --force");
  await expect(promote({ ...options, force: true, reason: "  " })).rejects.toThrow("--reason: is required");
  expect(pipeline.changes()).toEqual([]);
  await promote({ ...options, force: true, reason: "the probe lies" }).catch(() => {});
  expect(pipeline.givenImages("prod")).toMatchObject({
    release: { by: "jane", forced: "the probe lies" },
  });
  expect(pipeline.changes()[0]).toContain(
    "--message Promote build 4711 (aaaaaaaaaa) from dev by jane, forced: the probe lies",
  );
});

describe("to a registry of its own", () => {
  beforeEach(() => {
    const copied = release("4711", "a", "prod.example");
    pipeline.outputs("prod", pipeline.outputsOf(release("4700", "b", "prod.example"), "prod.example"));
    pipeline.after("prod", pipeline.outputsOf(copied, "prod.example"));
  });

  test("the images are copied byte by byte, and run there by the same digest", async () => {
    pipeline.tool("skopeo", `#!/bin/sh\necho "$*" >> ${join(pipeline.bin, "skopeo.calls")}\n`);
    await promote(options).catch(() => {});
    const names = Object.keys(application);
    expect(pipeline.givenImages("prod")).toMatchObject({
      release: { workloads: release("4711", "a", "prod.example").workloads },
    });
    const calls = pipeline.calls("skopeo");
    expect(calls).toHaveLength(names.length);
    for (const name of names) {
      const images = `docker://registry.example/slipway/${name}@${digest("a")} docker://prod.example/slipway/${name}:4711`;
      expect(calls.find((call) => call.endsWith(images))).toMatch(/^copy --all --preserve-digests /);
    }
    expect(calls.join()).not.toContain("hunter2");
  });

  test("a copy that fails leaves prod as it is", async () => {
    pipeline.tool("skopeo", "#!/bin/sh\necho 'no route to registry'; exit 1\n");
    await expect(promote(options)).rejects.toThrow(
      /copy of registry\.example\/slipway\/\w+@sha256:a+ to prod\.example: must succeed\n {2}\| no route to registry/,
    );
    expect(pipeline.changes()).toEqual([]);
  });
});

test("a stack that the backend does not know is refused by name", async () => {
  await expect(promote({ ...options, to: "staging" })).rejects.toThrow(
    "stack staging: must exist in the backend that pulumi is logged in to\n  → make it once: pulumi stack init staging",
  );
});
