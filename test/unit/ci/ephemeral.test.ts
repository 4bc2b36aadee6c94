import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { down, gc, up } from "../../../ci/commands/ephemeral.ts";
import { ephemeralFile } from "../../../ci/ephemeral/config.ts";
import { ephemeralName } from "../../../ci/ephemeral/name.ts";
import { valuesOf } from "../../../ci/stackFile.ts";
import { application } from "../../../infra/application.ts";
import { parseStackConfig } from "../../../infra/config/parse.ts";
import { explain } from "../../../infra/fault.ts";
import { root } from "../../../infra/projectRoot.ts";
import { Pipeline, release } from "../../support/pipeline.ts";

describe("the name of a branch's stack", () => {
  test.each([
    ["login", "eph-login"],
    ["feature/Login!", /^eph-feature-login-[0-9a-f]{6}$/],
    ["../../etc/passwd", /^eph-etc-passwd-[0-9a-f]{6}$/],
    ["$(reboot)", /^eph-reboot-[0-9a-f]{6}$/],
    ["--help", /^eph-help-[0-9a-f]{6}$/],
    ["a".repeat(300), /^eph-a{40}-[0-9a-f]{6}$/],
  ])("%s", (branch, name) => {
    expect(ephemeralName(branch)).toMatch(name);
  });

  test("is a namespace's for every branch there may be, and never that of a permanent stack", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (branch) => {
        fc.pre(/[a-z0-9]/i.test(branch));
        expect(ephemeralName(branch)).toMatch(/^eph-[a-z0-9]([-a-z0-9]*[a-z0-9])?$/);
        expect(ephemeralName(branch).length).toBeLessThanOrEqual(63);
      }),
    );
  });

  test("is another one for each branch", () => {
    const branches = [
      "feature/a",
      "feature-a",
      "Feature/a",
      "feature_a",
      `${"x".repeat(50)}1`,
      `${"x".repeat(50)}2`,
    ];
    expect(new Set(branches.map(ephemeralName)).size).toBe(branches.length);
  });

  test.each(["", "///", "…"])("is refused where nothing is left of it: %j", (name) => {
    expect(() => ephemeralName(name)).toThrow(/NAME: .*: must have a letter or a digit in it/);
  });
});

describe("the configuration of an ephemeral stack", () => {
  const base = {
    encryptionsalt: "v1:salt",
    config: {
      "slipway:platform": {
        kind: "azure",
        location: "westeurope",
        keyVaults: { vault: { kind: "new", retentionDays: 7 } },
      },
      "slipway:namespace": "team",
      "slipway:exposure": {
        api: { type: "NodePort", nodePort: 30081 },
        frontend: { type: "Ingress", host: "shop.example.com", tls: { keyVault: "vault/cert" } },
      },
      "slipway:workloads": { api: { autoscaling: { minReplicas: 3, maxReplicas: 9 }, env: { A: "b" } } },
      "slipway:secrets": { api: { TOKEN: { secure: "v1:cipher" } } },
      "slipway:ephemeral": { days: 1, quota: { cpu: "1", memory: "1Gi", pods: 4 } },
    },
  };
  const file = ephemeralFile(base, "organization/slipway/dev", {
    stack: "eph-login",
    resourceGroup: "rg-dev",
    release: release("4711", "a"),
    expires: "2026-11-25T07:00:00.000Z",
    workloads: ["api", "frontend"],
  });

  test("is on the other stack's platform, in a namespace, with a quota and at addresses of its own", () => {
    expect(valuesOf(file)).toEqual({
      platform: {
        kind: "shared",
        stack: "organization/slipway/dev",
        keyVaults: { vault: { kind: "existing", resourceGroup: "rg-dev" } },
      },
      quota: { cpu: "1", memory: "1Gi", pods: 4 },
      // Its own, whatever the other stack has: and it ends with the stack.
      database: { kind: "inCluster", keepVolume: false },
      expires: "2026-11-25T07:00:00.000Z",
      workloads: { api: { env: { A: "b" }, replicas: 1 }, frontend: { replicas: 1 } },
      exposure: {
        api: { type: "NodePort" },
        frontend: { type: "Ingress", host: "eph-login-shop.example.com", tls: { keyVault: "vault/cert" } },
      },
      secrets: { api: { TOKEN: { secure: "v1:cipher" } } },
      images: { source: "digests", release: release("4711", "a") },
    });
  });

  test("keeps the key by which the other stack's secrets are encrypted", () => {
    expect(file.encryptionsalt).toBe("v1:salt");
  });

  test("is valid", () => {
    const { secrets: _, ...values } = valuesOf(file);
    const config = parseStackConfig(values, { stack: "eph-login", workloads: Object.keys(application) });
    expect(config.namespace).toBe("eph-login");
  });

  test("says which key is wrong", () => {
    const wrong = { config: { "slipway:ephemeral": { days: 0 } } };
    expect(() =>
      ephemeralFile(wrong, "o/p/s", {
        stack: "eph-x",
        release: release("1", "a"),
        expires: "",
        workloads: [],
      }),
    ).toThrow("slipway:ephemeral.days: must be more than 0");
  });
});

let pipeline: Pipeline;
const stack = "eph-login";
const build = release("4711", "a");
const tagOf = (call: string) => /^stack tag set (\S+) (\S+)/.exec(call);

beforeEach(async () => {
  pipeline = await Pipeline.create();
  pipeline.stacks("dev", stack);
  pipeline.runs("dev", build);
  pipeline.after(stack, pipeline.outputsOf(build));
  pipeline.tags(stack, {});
});

const options = { base: "dev", wait: 0, smoke: 0 };

describe("up", () => {
  test("deploys what the base runs, and says how long it lasts before anything is there to last", async () => {
    await up("login", options);
    const changes = pipeline.changes();
    const [, tag, value] = tagOf(changes[0] as string) ?? [];
    expect(tag).toBe("slipway:expires");
    const days = (Date.parse(value as string) - Date.now()) / 86_400_000;
    expect(days).toBeGreaterThan(2.99);
    expect(days).toBeLessThanOrEqual(3);
    expect(changes.at(-1)).toMatch(/^up .* --stack eph-login$/);
    expect(pipeline.givenImages(stack)).toMatchObject({ release: { workloads: build.workloads } });
    expect(pipeline.printed.join("\n")).toContain(`frontend  http://${pipeline.world.address}`);
  });

  test("leaves no stack file in the checkout", async () => {
    pipeline.stacks("dev");
    pipeline.runs("dev", build);
    pipeline.file(
      "before.sh",
      'case "$*" in "stack init"*) touch "Pulumi.$3.yaml"; echo "[]" > "$dir/$3.history.json";; esac',
    );
    await up("login", options);
    expect(pipeline.changes()[0]).toBe("stack init eph-login --no-select");
    expect(readdirSync(root).filter((name) => name.includes("eph-"))).toEqual([]);
  });

  test("of a name with nothing in it changes nothing", async () => {
    await expect(up("../", options)).rejects.toThrow("NAME");
    expect(pipeline.changes()).toEqual([]);
  });
});

describe("down", () => {
  test("marks the stack as expired first, so that gc finishes what is interrupted", async () => {
    await down("login", { wait: 0 });
    expect(pipeline.changes()).toEqual([
      "stack tag set slipway:expires 1970-01-01T00:00:00.000Z --stack eph-login",
      "destroy --yes --skip-preview --remove --message Destroy, by jane --stack eph-login",
    ]);
  });

  test("takes the stack's own name too, and one that is gone is no error", async () => {
    await down("eph-login", { wait: 0 });
    expect(pipeline.changes()).toHaveLength(2);
    await down("nosuch", { wait: 0 });
    expect(pipeline.changes()).toHaveLength(2);
  });

  test.each(["dev", "../dev", "eph-../dev"])("never touches a permanent stack: %s", async (name) => {
    await down(name, { wait: 0 });
    expect(pipeline.changes()).toEqual([]);
  });
});

describe("gc", () => {
  const past = "2020-01-01T00:00:00Z";
  const future = "2120-01-01T00:00:00Z";
  const destroyed = () =>
    pipeline
      .changes()
      .filter((call) => call.startsWith("destroy"))
      .map((call) => call.split(" ").at(-1));

  test("destroys what has expired, and nothing else", async () => {
    pipeline.stacks("dev", "prod", "eph-old", "eph-new", "mine");
    pipeline.tags("eph-old", { "slipway:expires": past });
    pipeline.tags("eph-new", { "slipway:expires": future });
    await gc({ json: true });
    expect(destroyed()).toEqual(["eph-old"]);
    expect(JSON.parse(pipeline.printed.join("\n"))).toEqual({
      destroyed: ["eph-old"],
      busy: [],
      failed: [],
      kept: ["eph-new"],
    });
  });

  test("destroys that of a branch which the remote no longer has, and keeps that of one which it has", async () => {
    pipeline.stacks("dev", "eph-gone", "eph-open", "eph-manual");
    pipeline.tags("eph-gone", { "slipway:expires": future, "slipway:branch": "gone" });
    pipeline.tags("eph-open", { "slipway:expires": future, "slipway:branch": "open" });
    pipeline.tags("eph-manual", { "slipway:expires": future });
    pipeline.tool(
      "git",
      `#!/bin/sh\ncase "$1" in ls-remote) printf '%s\\trefs/heads/open\\n' ${"a".repeat(40)};; *) exit 1;; esac\n`,
    );
    await gc({});
    expect(destroyed()).toEqual(["eph-gone"]);
  });

  test("keeps everything that has not expired where the remote cannot be asked", async () => {
    pipeline.tags(stack, { "slipway:expires": future, "slipway:branch": "gone" });
    pipeline.tool("git", "#!/bin/sh\nexit 128\n");
    await gc({});
    expect(destroyed()).toEqual([]);
  });

  test("leaves a stack that is being updated to the next gc, and goes on with the others", async () => {
    pipeline.stacks("dev", "eph-a", "eph-b");
    for (const name of ["eph-a", "eph-b"]) pipeline.tags(name, { "slipway:expires": past });
    pipeline.file(
      "before.sh",
      `case "$*" in "destroy "*eph-a*) echo "error: the stack is currently locked by 1 lock(s)."; echo "  x: created by root@elsewhere (pid 1) at now"; exit 255;; esac`,
    );
    await gc({ json: true });
    expect(JSON.parse(pipeline.printed.join("\n"))).toMatchObject({ destroyed: ["eph-b"], busy: ["eph-a"] });
    expect(pipeline.changes().filter((call) => call.startsWith("cancel"))).toEqual([]);
  });

  test("fails with what it could not destroy, after the others", async () => {
    pipeline.stacks("dev", "eph-a", "eph-b");
    for (const name of ["eph-a", "eph-b"]) pipeline.tags(name, { "slipway:expires": past });
    pipeline.file("before.sh", 'case "$*" in "destroy "*eph-a*) echo "cluster unreachable"; exit 255;; esac');
    const failure = await gc({}).catch((error: unknown) => error);
    // A Fault: people are told why, and are not shown a stack trace.
    expect(explain(failure)).toMatch(
      /^eph-a: could not be destroyed\n {2}\| pulumi destroy [\s\S]*cluster unreachable\n {2}→ see why; the next gc tries again$/,
    );
    expect(destroyed()).toEqual(["eph-a", "eph-b"]);
  });

  test("destroys what was interrupted before it had a date, once it is surely not being made", async () => {
    pipeline.file("stacks.json", [
      { name: "eph-old", lastUpdate: "2020-01-01T00:00:00Z" },
      { name: "eph-young", lastUpdate: new Date().toISOString() },
    ]);
    await gc({});
    expect(destroyed()).toEqual(["eph-old"]);
  });
});

test("a stack of the permanent ones never begins as an ephemeral one does", () => {
  const files = readdirSync(root).filter((name) => /^Pulumi\..+\.yaml$/.test(name));
  expect(files.filter((name) => name.startsWith("Pulumi.eph-"))).toEqual([]);
  expect(existsSync(join(root, "Pulumi.dev.yaml"))).toBe(true);
  expect(parse(readFileSync(join(root, "Pulumi.yaml"), "utf8")).name).toBeTypeOf("string");
});
