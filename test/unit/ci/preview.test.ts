import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { drift } from "../../../ci/commands/drift.ts";
import { preview } from "../../../ci/commands/preview.ts";
import { changesOf } from "../../../ci/preview/changes.ts";
import { previewMarkdown, stackMarkdown } from "../../../ci/preview/markdown.ts";
import { targetBranch } from "../../../ci/preview/target.ts";
import { Pipeline, release } from "../../support/pipeline.ts";

const urn = (type: string, name: string) =>
  `urn:pulumi:dev::slipway::slipway:delivery:Workload$${type}::${name}`;
const deployment = urn("kubernetes:apps/v1:Deployment", "api-deployment");
const service = urn("kubernetes:core/v1:Service", "api-service");

describe("the changes of a preview", () => {
  test("are told once a resource: a replacement takes three steps", () => {
    const steps = [
      { op: "create-replacement", urn: service, replaceReasons: ["spec.clusterIP"] },
      { op: "replace", urn: service, detailedDiff: { "spec.clusterIP": { kind: "update-replace" } } },
      { op: "delete-replaced", urn: service },
      { op: "update", urn: deployment, detailedDiff: { "spec.replicas": { kind: "update" } } },
      { op: "same", urn: urn("kubernetes:core/v1:Secret", "s") },
    ];
    expect(changesOf({ steps })).toEqual([
      { action: "replace", kind: "Service", name: "api-service", fields: ["spec.clusterIP"] },
      { action: "change", kind: "Deployment", name: "api-deployment", fields: ["spec.replicas"] },
    ]);
  });

  test("leave out what is in Pulumi's state alone", () => {
    const steps = [
      { op: "create", urn: "urn:pulumi:dev::slipway::pulumi:pulumi:Stack::slipway-dev" },
      { op: "update", urn: "urn:pulumi:dev::slipway::pulumi:providers:kubernetes::cluster" },
      { op: "create", urn: "urn:pulumi:dev::slipway::slipway:delivery:Workload::api" },
    ];
    expect(changesOf({ steps })).toEqual([]);
  });
});

describe("the summary", () => {
  const change = (
    action: "replace" | "destroy" | "create" | "change",
    name: string,
    fields: string[] = [],
  ) => ({
    action,
    kind: "Service",
    name,
    fields,
  });

  test("has what is lost on top and in bold, before everything else", () => {
    const text = stackMarkdown({
      stack: "prod",
      changes: [
        change("create", "new"),
        change("change", "same"),
        change("destroy", "gone"),
        change("replace", "other", ["spec.x"]),
      ],
    });
    expect(text).toContain("### prod: **1 replaced**, **1 destroyed**, 1 created, 1 changed\n");
    expect(text).toContain("- **destroyed: Service `gone`**\n- **replaced: Service `other`**: `spec.x`\n");
    expect(text.indexOf("`gone`")).toBeLessThan(text.indexOf("`new`"));
    expect(text.indexOf("CAUTION")).toBeLessThan(text.indexOf("`gone`"));
  });

  test("does not warn where nothing is lost", () => {
    expect(stackMarkdown({ stack: "dev", changes: [change("create", "new")] })).not.toContain("CAUTION");
    expect(stackMarkdown({ stack: "dev", changes: [] })).toContain("### dev: no change");
    expect(stackMarkdown({ stack: "dev" })).toContain("### dev: not compared");
  });

  test("lets no name break out of its line or its code", () => {
    const text = stackMarkdown({ stack: "dev", changes: [change("create", "a`\n# @team <img>")] });
    expect(text.split("\n").filter((line) => line.includes("@team"))).toEqual([
      "- Service `a''# @team <img>`",
    ]);
  });

  test("lets no diff close its own block", () => {
    const text = previewMarkdown([{ stack: "dev", manifests: "+ ````\n+ # out" }], []);
    expect(text.split("````").length).toBe(3);
  });
});

describe("the objects are compared with", () => {
  test.each([
    ["GITHUB_BASE_REF", "release/1"],
    ["CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "release/1"],
    ["SYSTEM_PULLREQUEST_TARGETBRANCH", "refs/heads/release/1"],
    ["SYSTEM_PULLREQUEST_TARGETBRANCH", "release/1"],
    ["CHANGE_TARGET", "release/1"],
    ["BITBUCKET_PR_DESTINATION_BRANCH", "release/1"],
  ])("the branch that %s=%s names, as the remote has it", (variable, value) => {
    expect(targetBranch({ [variable]: value })).toBe("origin/release/1");
  });

  test("the main branch where there is no pull request", () => {
    expect(targetBranch({})).toBe("origin/main");
    // GitHub sets it for every run.
    expect(targetBranch({ GITHUB_BASE_REF: "" })).toBe("origin/main");
  });
});

let pipeline: Pipeline;
const build = release("4711", "a");

beforeEach(async () => {
  pipeline = await Pipeline.create();
  vi.stubEnv("GITHUB_STEP_SUMMARY", "");
  pipeline.runs("dev", build);
});

const steps = (...list: unknown[]) => JSON.stringify({ steps: list, changeSummary: {} });
const answer = (command: string, json: string, code = 0) => {
  pipeline.file("answer.json", json);
  pipeline.file("before.sh", `case "$*" in "${command} "*) cat "$dir/answer.json"; exit ${code};; esac`);
};

describe("ci:preview", () => {
  const options = { stack: ["dev"], target: "HEAD", state: true, policy: true };

  test("previews the build that the stack runs, under the house rules, and writes the summary", async () => {
    answer(
      "preview",
      steps({ op: "update", urn: deployment, detailedDiff: { "spec.replicas": { kind: "update" } } }),
    );
    const out = join(pipeline.bin, "summary.md");
    await preview({ ...options, out });
    expect(pipeline.changes()).toEqual([
      expect.stringMatching(
        /^preview --json --policy-pack \S+\/infra\/policy --config-file FILE --stack dev$/,
      ),
    ]);
    expect(readFileSync(out, "utf8")).toContain("Deployment `api-deployment`: `spec.replicas`");
    expect(process.exitCode).toBeUndefined();
  });

  test("shows no value, whatever the engine tells", async () => {
    answer(
      "preview",
      steps({
        op: "update",
        urn: deployment,
        detailedDiff: { "data.PASSWORD": { kind: "update" } },
        oldState: { inputs: { data: { PASSWORD: "hunter2" } } },
        newState: { inputs: { data: { PASSWORD: "hunter3" } } },
      }),
    );
    await preview({ ...options, json: true });
    const text = pipeline.printed.join("\n");
    expect(text).toContain("data.PASSWORD");
    expect(text).not.toMatch(/hunter\d/);
  });

  test("that fails shows why, goes on with the other stacks, and exits 1", async () => {
    answer(
      "preview",
      JSON.stringify({
        diagnostics: [{ severity: "error", message: "error: slipway:nosuch: is not a known key." }],
      }),
      255,
    );
    await preview({ ...options, stack: ["dev", "prod"] });
    expect(process.exitCode).toBe(1);
    process.exitCode = undefined;
    const text = pipeline.printed.join("\n");
    expect(text).toContain("### dev: **the preview failed**");
    expect(text).toContain("slipway:nosuch: is not a known key.");
    expect(text).toContain("### prod: **the preview failed**");
  });

  test("of a fork asks no backend and needs no credentials", async () => {
    await preview({ ...options, state: false });
    expect(pipeline.calls("pulumi")).toEqual([]);
    expect(pipeline.printed.join("\n")).toContain("### dev: not compared");
  });

  test("names a target that is not there, and shows the rest", async () => {
    answer("preview", steps());
    await preview({ ...options, target: "origin/nosuch" });
    expect(pipeline.printed.join("\n")).toContain("No manifests of dev: origin/nosuch is not in this clone");
  });

  test("refuses a stack without a file before anything runs", async () => {
    await expect(preview({ ...options, stack: ["nosuch"] })).rejects.toThrow(
      "Pulumi.nosuch.yaml: absent: must exist",
    );
    expect(pipeline.calls("pulumi")).toEqual([]);
  });
});

describe("drift", () => {
  const refreshed = { op: "refresh", urn: service, detailedDiff: null };

  test("exits 2 with the differing fields, and changes nothing", async () => {
    answer(
      "refresh",
      steps(
        refreshed,
        { op: "update", urn: deployment, detailedDiff: { "spec.replicas": { kind: "update" } } },
        { op: "delete", urn: service },
      ),
    );
    await drift({ stack: ["dev"] });
    expect(process.exitCode).toBe(2);
    process.exitCode = undefined;
    expect(pipeline.printed.join("\n")).toContain(
      "dev: differs from what was deployed\n  Deployment api-deployment: spec.replicas\n  Service api-service: is gone",
    );
    expect(pipeline.changes()).toEqual(["refresh --preview-only --json --stack dev"]);
  });

  test("exits 0 where there is none", async () => {
    answer("refresh", steps(refreshed));
    await drift({ stack: ["dev"], json: true });
    expect(process.exitCode).toBeUndefined();
    expect(JSON.parse(pipeline.printed.join("\n"))).toEqual([{ stack: "dev", changes: [], argo: [] }]);
  });

  test("is not taken for absent where the comparison fails", async () => {
    answer(
      "refresh",
      JSON.stringify({ diagnostics: [{ severity: "error", message: "cluster unreachable" }] }),
      255,
    );
    await expect(drift({ stack: ["dev"] })).rejects.toThrow(
      "stack dev: could not be compared with what there is\n  | cluster unreachable",
    );
  });

  test("tells what Argo CD says of the Applications that deliver to the stack's namespace", async () => {
    answer("refresh", steps(refreshed));
    const application = (namespace: string, sync: string) => ({
      metadata: { name: `of-${namespace}` },
      spec: { destination: { namespace } },
      status: {
        sync: { status: sync },
        health: { status: "Healthy" },
        resources: [{ kind: "Deployment", name: "api", status: sync }],
      },
    });
    pipeline.world.applications.push(application("dev", "OutOfSync"), application("other", "OutOfSync"));
    await drift({ stack: ["dev"] });
    expect(process.exitCode).toBe(2);
    process.exitCode = undefined;
    expect(pipeline.printed.join("\n")).toContain("  Application of-dev: is OutOfSync (Deployment api)");
    expect(pipeline.printed.join("\n")).not.toContain("of-other");
  });
});
