import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { PulumiStack, pulumiCommand } from "../support/pulumi.ts";
import { Workspace } from "../support/workspace.ts";

const stack = "test-policy";

describe.skipIf(pulumiCommand === undefined)("pulumi preview with the policy pack", () => {
  let workspace: Workspace;
  let pulumi: PulumiStack;
  const preview = () =>
    pulumi.run("preview", "--policy-pack", `${workspace.path}/infra/policy`, "--stack", stack);

  beforeAll(async () => {
    workspace = new Workspace(stack);
    workspace.configure({
      platform: { kind: "local" },
      exposure: { frontend: { type: "NodePort" }, api: { type: "NodePort" } },
    });
    pulumi = new PulumiStack(workspace);
    await pulumi.init();
  });

  afterAll(() => {
    workspace.remove();
    pulumi.remove();
  });

  test("accepts the application as it is", async () => {
    expect(await preview()).not.toContain("mandatory");
  });

  test("refuses a workload that breaks a house rule, and names it, the rule and what is wrong", async () => {
    workspace.replace("infra/application.ts", 'limits: { memory: "192Mi" }', "limits: {}");
    await expect(preview()).rejects.toThrow(
      /\[mandatory\] {2}container-resources {2}\(kubernetes:apps\/v1:Deployment: api-deployment\)\n.*\n\s+container api: has no resources\.limits\.memory/,
    );
  });
});
