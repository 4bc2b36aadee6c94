import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { getGreeting, getText } from "../support/cluster.ts";
import { PulumiStack, pulumiCommand } from "../support/pulumi.ts";
import { Workspace } from "../support/workspace.ts";

const port = { dev: 30930, prod: 30940 };
const page = (stack: keyof typeof port) => getText(`http://127.0.0.1:${port[stack]}`);

/** What gitlab-ci-local copies the checkout with. */
const hasRsync = (process.env.PATH ?? "").split(":").some((folder) => existsSync(join(folder, "rsync")));
if (pulumiCommand !== undefined && !hasRsync) console.warn("Skipped: gitlab-ci-local needs rsync on PATH.");

describe.skipIf(pulumiCommand === undefined || !hasRsync)(
  "the jobs of GitLab CI, run by gitlab-ci-local",
  () => {
    let workspace: Workspace;
    let pulumi: PulumiStack;

    /** Runs jobs as GitLab's shell runner would, each from a clean checkout of the last commit. */
    async function run(jobs: readonly string[], variables: Record<string, string> = {}): Promise<string> {
      const { exitCode, all } = await execa(
        join(import.meta.dirname, "../../node_modules/.bin/gitlab-ci-local"),
        [
          ...["--file", "ci/gitlab-ci.yml", "--force-shell-executor", "--no-color"],
          ...Object.entries({ AZURE_CLIENT_ID: "", ...variables }).flatMap(([name, value]) => [
            "--variable",
            `${name}=${value}`,
          ]),
          ...jobs,
        ],
        { cwd: workspace.path, env: pulumi.env, reject: false, all: true, stdin: "ignore" },
      );
      if (exitCode !== 0) throw new Error(String(all));
      return String(all);
    }

    beforeAll(async () => {
      workspace = new Workspace("dev");
      // A job's own `npm ci` would empty what the link points to.
      workspace.delete("node_modules");
      for (const stack of ["dev", "prod"] as const)
        workspace.configure(
          {
            platform: { kind: "local" },
            namespace: `test-gitlab-${stack}`,
            exposure: {
              frontend: { type: "NodePort", nodePort: port[stack] },
              api: { type: "NodePort", nodePort: port[stack] + 1 },
            },
            ...(stack === "prod" ? { images: { source: "digests" } } : {}),
          },
          stack,
        );
      workspace.commit("Configure");
      pulumi = new PulumiStack(workspace);
      await pulumi.init("dev");
      await pulumi.init("prod");
    });

    afterAll(async () => {
      if (!existsSync(join(workspace.path, "node_modules")))
        execFileSync("npm", ["ci"], { cwd: workspace.path });
      for (const stack of ["prod", "dev"]) await pulumi.destroy(stack);
      workspace.remove();
      pulumi.remove();
    });

    test("build and dev put the commit on dev, and leave prod to a hand", async () => {
      const output = await run(["build", "dev"]);
      expect(output).toMatch(/PASS\s+build/);
      expect(output).toMatch(/PASS\s+dev/);
      expect(await page("dev")).toContain('<h1 id="headline">');
      await expect(page("prod")).rejects.toThrow();
    });

    test("the manual job prod runs dev's digests", async () => {
      expect(await run(["prod"])).toMatch(/PASS\s+prod/);
      expect(await page("prod")).toContain('<h1 id="headline">');
      expect(await pulumi.output("prod", "images")).toEqual(await pulumi.output("dev", "images"));
      const { build } = await getGreeting(`http://127.0.0.1:${port.dev + 1}`);
      expect((await getGreeting(`http://127.0.0.1:${port.prod + 1}`)).build).toBe(build);
    });

    test("the nightly job finds no drift", async () => {
      expect(await run(["drift"], { CI_PIPELINE_SOURCE: "schedule" })).toContain("prod: as it was deployed");
    });
  },
);
