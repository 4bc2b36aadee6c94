import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { execaSync } from "execa";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { root } from "../../../infra/projectRoot.ts";
import { temporaryDirectory } from "../../support/temporary.ts";

const workflows = readdirSync(join(root, ".github/workflows")).map((name) => `.github/workflows/${name}`);

const hasActionlint = !execaSync("actionlint", ["-version"], { reject: false }).failed;
if (!hasActionlint)
  console.warn(
    "Skipped: actionlint is not on PATH (go install github.com/rhysd/actionlint/cmd/actionlint@v1.7.8).",
  );

/** The files of each system, in the order in which a change passes through them. */
const systems = {
  "GitHub Actions": ["pull-request", "main", "nightly"].map((name) => `.github/workflows/${name}.yml`),
  "GitLab CI": ["ci/gitlab-ci.yml"],
  "Azure Pipelines": ["ci/azure-pipelines.yml"],
  Jenkins: ["ci/Jenkinsfile"],
  "Bitbucket Pipelines": ["ci/bitbucket-pipelines.yml"],
} as const;

/** What a change goes through, from a pull request to prod, and every night. */
const flow = [
  "npm run ci:test",
  "npm run ci:preview -- --stack dev --stack prod",
  "npm run ci:build -- --stack dev --images images.json",
  'npm run ephemeral -- up --base dev --images images.json -- "$BRANCH"',
  "npm run ci:deploy -- --stack dev --images images.json",
  "npm run promote -- --from dev --to prod --images images.json",
  "npm run drift -- --stack dev --stack prod",
  "npm run ephemeral -- gc",
];

/** What only those do that know forks in the repository's own pipelines, or the end of a pull request. */
const optional = [
  "npm run ci:preview -- --stack dev --stack prod --no-state",
  'npm run ephemeral -- down -- "$BRANCH"',
];

const read = (file: string) => readFileSync(join(root, file), "utf8");

/** Commands of this project in a system's files, each once, as they come. */
function commands(files: readonly string[]): string[] {
  const found = files.flatMap((file) =>
    [...read(file).matchAll(/npm run [^'\n]+/g)].map(([line]) => line.trim()),
  );
  return [...new Set(found)];
}

/** Whether a step's script asks Pulumi's backend: all of the project's commands do, but the tests and a fork's preview. */
function asksBackend(script: string): boolean {
  return /npm run (?!ci:test)(?!.*--no-state)/.test(script);
}

describe.each(Object.entries(systems))("%s", (_, files) => {
  test("calls the same commands as every other system, in the same order", () => {
    expect(commands(files).filter((command) => !optional.includes(command))).toEqual(flow);
  });

  test("calls nothing that package.json does not have", () => {
    const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
    for (const command of commands(files)) expect(scripts).toHaveProperty([command.split(" ")[2] as string]);
  });

  test("never builds for prod, and hands on one record", () => {
    const builds = commands(files).filter((command) => command.includes("ci:build"));
    expect(builds).toHaveLength(1);
    expect(builds[0]).not.toContain("prod");
  });

  test("leaves nothing in the checkout that Git does not ignore: a commit to deliver would be called dirty", () => {
    const text = files.map(read).join("\n");
    const written = [...text.matchAll(/--images ([^\s']+)|\breports\/[\w.-]*/g)].map(
      ([all, file]) => file ?? all,
    );
    expect(written.length).toBeGreaterThan(1);
    const { stdout } = execaSync("git", ["check-ignore", ...written], { cwd: root, reject: false });
    expect(stdout.split("\n")).toEqual(written);
  });

  test("never puts the name of a branch into a script's text", () => {
    for (const file of files) {
      const text = read(file);
      expect(text).not.toMatch(/npm run[^\n]*(\$\{\{|\$\(|CHANGE_BRANCH|CI_COMMIT_REF_NAME)/);
      expect(text).not.toMatch(/run:[^\n]*github\.head_ref/);
    }
  });
});

test.each(["ci/gitlab-ci.yml", "ci/Jenkinsfile", "ci/bitbucket-pipelines.yml"])(
  "%s: who signs in says for which subscription, and is not left the first of those it sees",
  (file) => {
    const signIns = read(file)
      .split(/(?=az login)/)
      .slice(1);
    expect(signIns.length).toBeGreaterThan(0);
    for (const signIn of signIns)
      expect(signIn).toMatch(/^.*(\n.*)?az account set --subscription "\$AZURE_SUBSCRIPTION_ID"/);
  },
);

test.each([
  [
    ".github/workflows/pull-request.yml",
    /\n(?= {2}\S+:\n)/,
    /- uses: actions\/checkout.*\n +with:\n +fetch-depth: 0\n/,
  ],
  ["ci/gitlab-ci.yml", /\n(?=\S+:\n)/, / GIT_DEPTH: 0\n/],
  ["ci/azure-pipelines.yml", /\n(?= +- job:)/, /- checkout: self\n +fetchDepth: 0\n/],
  ["ci/bitbucket-pipelines.yml", /\n(?= +- step:)/, / clone:\n +depth: full\n/],
])("%s: a preview's clone has every branch, so that of its target too", (file, job, everything) => {
  const previews = read(file)
    .split(job)
    .filter((text) => text.includes("npm run ci:preview"));
  expect(previews.length).toBeGreaterThan(0);
  for (const preview of previews) expect(preview).toMatch(everything);
});

test("every file of a pipeline is one of these", () => {
  expect(workflows.sort()).toEqual([...systems["GitHub Actions"]].sort());
});

describe("GitLab CI", () => {
  /** Jobs that a pipeline has, as gitlab-ci-local reads file and rules; it holds the file to GitLab's schema first. */
  function jobsOf(variables: Record<string, string>): string[] {
    const directory = temporaryDirectory({ ".gitlab-ci.yml": read("ci/gitlab-ci.yml") });
    execaSync("git", ["init", "--quiet", "--initial-branch=main"], { cwd: directory });
    execaSync("git", ["add", "--all"], { cwd: directory });
    const identity = ["-c", "user.name=test", "-c", "user.email=test@example.com"];
    execaSync("git", [...identity, "commit", "--quiet", "--message", "Start"], { cwd: directory });
    const { stdout } = execaSync(
      process.execPath,
      [
        join(root, "node_modules/gitlab-ci-local/dist/index.js"),
        "--list-json",
        // GitLab sets it for a branch's pipeline alone.
        ...("CI_MERGE_REQUEST_SOURCE_PROJECT_ID" in variables
          ? ["--unset-variable", "CI_COMMIT_BRANCH"]
          : []),
        ...["--ignore-predefined-vars", Object.keys(variables).join(",")],
        ...Object.entries(variables).flatMap(([name, value]) => ["--variable", `${name}=${value}`]),
      ],
      { cwd: directory },
    );
    return (JSON.parse(stdout) as { name: string; when: string }[])
      .filter(({ when }) => when !== "never")
      .map(({ name, when }) => (when === "manual" ? `${name} by hand` : name));
  }
  const merge = { CI_PIPELINE_SOURCE: "merge_request_event", CI_PROJECT_ID: "1" };

  test.each([
    ["the main branch", {}, ["test", "build", "dev", "prod by hand"]],
    [
      "a merge request",
      { ...merge, CI_MERGE_REQUEST_SOURCE_PROJECT_ID: "1" },
      ["test", "preview", "build", "review", "review-end by hand"],
    ],
    [
      "a fork's merge request",
      { ...merge, CI_MERGE_REQUEST_SOURCE_PROJECT_ID: "2" },
      ["test", "preview-fork"],
    ],
    ["the schedule", { CI_PIPELINE_SOURCE: "schedule" }, ["drift", "clean"]],
  ])("the jobs of %s are these", (_, variables, jobs) => {
    expect(jobsOf(variables)).toEqual(jobs);
  });
});

interface Job {
  readonly needs?: string;
  readonly if?: string;
  readonly environment?: string;
  readonly concurrency?: string;
  readonly permissions?: Record<string, string>;
  readonly steps: readonly {
    readonly uses?: string;
    readonly run?: string;
    readonly env?: Record<string, string>;
  }[];
}

interface Workflow {
  readonly permissions: Record<string, string>;
  readonly jobs: Record<string, Job>;
}

describe("GitHub Actions", () => {
  const jobs = workflows.flatMap((file) =>
    Object.entries((parse(read(file)) as Workflow).jobs).map(([name, job]) => ({ file, name, job })),
  );

  test.skipIf(!hasActionlint)("actionlint finds nothing", () => {
    const { all } = execaSync("actionlint", ["-no-color", ...workflows], {
      cwd: root,
      reject: false,
      all: true,
    });
    expect(all).toBe("");
  });

  test("every action is pinned by the hash of its commit, beside its version", () => {
    const uses = workflows.flatMap((file) =>
      [...read(file).matchAll(/uses: (.*)/g)].map(([, action]) => action),
    );
    expect(uses.length).toBeGreaterThan(10);
    for (const action of uses) expect(action).toMatch(/^[\w.-]+(\/[\w.-]+)+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  });

  test("a run may read, and no more than its job needs", () => {
    for (const file of workflows)
      expect((parse(read(file)) as Workflow).permissions).toEqual({ contents: "read" });
    for (const { job } of jobs) {
      const { contents, ...rest } = job.permissions ?? { contents: "read" };
      expect(contents).toBe("read");
      expect(Object.keys(rest).every((name) => ["id-token", "pull-requests"].includes(name))).toBe(true);
    }
  });

  test("who has no environment has no identity: a fork's change gets neither", () => {
    for (const { job } of jobs) {
      const identity = job.permissions?.["id-token"] !== undefined;
      expect(identity).toBe(job.environment !== undefined);
      const forks = job.if?.includes("!= github.repository") ?? false;
      expect(forks && identity).toBe(false);
    }
    expect(workflows.map(read).join()).not.toContain("pull_request_target");
  });

  test("whoever asks the backend is given its token, and nobody else is", () => {
    for (const { job } of jobs) {
      for (const { run, env } of job.steps) {
        const asks = asksBackend(run ?? "");
        expect(env?.PULUMI_ACCESS_TOKEN?.includes("secrets.PULUMI_ACCESS_TOKEN") ?? false).toBe(asks);
        if (asks) expect(job.environment).toBeDefined();
      }
    }
  });

  test("a stack is updated by one run at a time, and prod after dev", () => {
    const { jobs: main } = parse(read(".github/workflows/main.yml")) as Workflow;
    expect(main.dev).toMatchObject({ needs: "build", environment: "dev", concurrency: "stack-dev" });
    expect(main.prod).toMatchObject({ needs: "dev", environment: "prod", concurrency: "stack-prod" });
  });
});

test("GitLab: prod waits for a person, and a stack is updated by one job at a time", () => {
  const file = parse(read("ci/gitlab-ci.yml"), { merge: true }) as Record<string, Record<string, unknown>>;
  expect(file.prod?.rules).toEqual([expect.objectContaining({ when: "manual" })]);
  expect([file.dev?.resource_group, file.prod?.resource_group]).toEqual(["stack-dev", "stack-prod"]);
  expect(file.review?.environment).toMatchObject({ on_stop: "review-end" });
});

test("Azure Pipelines: dev and prod are environments, whose checks are the approvals", () => {
  const { stages, lockBehavior } = parse(read("ci/azure-pipelines.yml")) as {
    lockBehavior: string;
    stages: { stage: string; dependsOn?: string; jobs: { environment?: string }[] }[];
  };
  const stage = (name: string) => stages.find((found) => found.stage === name);
  expect(stage("dev")?.jobs[0]?.environment).toBe("dev");
  expect(stage("prod")).toMatchObject({ dependsOn: "dev", jobs: [{ environment: "prod" }] });
  expect(lockBehavior).toBe("sequential");
});

test("Azure Pipelines: whoever asks the backend is given its token by name, and nobody else is", () => {
  type Step = { script?: string; inputs?: { inlineScript?: string }; env?: Record<string, string> };
  type AzureJob = { steps?: Step[]; strategy?: { runOnce: { deploy: { steps: Step[] } } } };
  const { stages, variables } = parse(read("ci/azure-pipelines.yml")) as {
    stages: { jobs: AzureJob[] }[];
    variables: { group?: string }[];
  };
  const steps = stages.flatMap(({ jobs }) =>
    jobs.flatMap(({ steps: own, strategy }) => own ?? strategy?.runOnce.deploy.steps ?? []),
  );
  const asking = steps.filter((step) => asksBackend(step.inputs?.inlineScript ?? step.script ?? ""));
  expect(asking).toHaveLength(7);
  for (const step of steps)
    expect(step.env?.PULUMI_ACCESS_TOKEN).toBe(asking.includes(step) ? "$(PULUMI_ACCESS_TOKEN)" : undefined);
  // What is not secret comes with the group; by a macro, an optional one would be its own name.
  expect(variables.flatMap(({ group }) => group ?? [])).toEqual(["slipway"]);
  expect(read("ci/azure-pipelines.yml")).not.toMatch(/\$\((COSIGN_KEY|PULUMI_BACKEND_URL)\)/);
});

test("Bitbucket: prod waits for a person, after dev", () => {
  const { pipelines } = parse(read("ci/bitbucket-pipelines.yml")) as {
    pipelines: { branches: { main: { step: { deployment?: string; trigger?: string } }[] } };
  };
  expect(pipelines.branches.main.slice(-2).map(({ step }) => [step.deployment, step.trigger])).toEqual([
    ["dev", undefined],
    ["prod", "manual"],
  ]);
});

test("Jenkins: prod waits for a person, and stacks are locked while they are updated", () => {
  const text = read("ci/Jenkinsfile");
  const prod = text.slice(text.indexOf("stage('Prod')"));
  expect(prod.indexOf("input {")).toBeLessThan(prod.indexOf("npm run promote"));
  expect(text).toMatch(/lock\(resource: 'stack-dev'\)[^}]*ci:deploy/);
  expect(text).toMatch(/lock\(resource: 'stack-prod'\)[\s\S]*promote/);
});

test("Jenkins: what a fork's change runs has no credential", () => {
  const text = read("ci/Jenkinsfile");
  const stages = text.split(/(?=stage\(')/);
  const open = stages.filter(
    (stage) => !stage.includes("env.CHANGE_FORK == null") && !/branch 'main'/.test(stage),
  );
  expect(open.map((stage) => /^stage\('([^']*)/.exec(stage)?.[1])).toEqual([
    undefined,
    "Install",
    "Test",
    "Preview of a fork",
  ]);
  for (const stage of open) expect(stage).not.toMatch(/redentials\(/);
});
