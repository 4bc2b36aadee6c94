import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { clients } from "../support/cluster.ts";
import { PulumiStack, pulumiCommand } from "../support/pulumi.ts";
import { Workspace } from "../support/workspace.ts";

const stack = "test-watched";
const monitoring = "test-monitoring";

describe.skipIf(pulumiCommand === undefined)("pulumi, on a stack that installs its Prometheus", () => {
  let workspace: Workspace;
  let pulumi: PulumiStack;

  beforeAll(async () => {
    workspace = new Workspace(stack);
    workspace.configure({
      platform: { kind: "local" },
      exposure: { frontend: { type: "NodePort" }, api: { type: "NodePort" } },
      observability: {
        prometheus: {
          kind: "install",
          namespace: monitoring,
          chart: `${workspace.path}/test/support/monitoring-chart`,
          values: { team: "shop" },
        },
      },
    });
    workspace.commit("Configure");
    pulumi = new PulumiStack(workspace);
    await pulumi.init();
    await pulumi.up();
  });

  afterAll(async () => {
    await pulumi.destroy();
    workspace.remove();
    pulumi.remove();
  });

  const list = async (plural: string) => {
    const { items } = (await clients().custom.listNamespacedCustomObject({
      group: "monitoring.coreos.com",
      version: "v1",
      namespace: stack,
      plural,
    })) as { items: { metadata: { name: string } }[] };
    return items.map(({ metadata }) => metadata.name);
  };

  test("one run brings the chart's kinds, and then the monitors and rules of each workload", async () => {
    expect(await list("servicemonitors")).toEqual(["api", "frontend"]);
    expect(await list("prometheusrules")).toEqual(["api", "frontend"]);
  });

  test("the chart has the program's values and the stack's", async () => {
    const { data } = await clients().core.readNamespacedConfigMap({ namespace: monitoring, name: "values" });
    expect(JSON.parse(data?.["values.json"] ?? "")).toMatchObject({
      team: "shop",
      prometheus: { prometheusSpec: { serviceMonitorSelectorNilUsesHelmValues: false } },
    });
  });

  test("preview: nothing changed means no step but same", async () => {
    expect(Object.keys(await pulumi.preview())).toEqual(["same"]);
  });
});
