import { join } from "node:path";
import { execa } from "execa";
import { beforeAll, expect, test } from "vitest";
import { stringify } from "yaml";
import { prometheusRule } from "../../infra/observability/prometheusRule.ts";
import { resolveSettings } from "../../local/settings.ts";
import { promtoolTools } from "../../local/toolFamilies.ts";
import { provideTools } from "../../local/tools.ts";
import { temporaryDirectory } from "../support/temporary.ts";

const watched = {
  name: "api",
  namespace: "shop",
  metrics: { path: "/metrics", port: "http", requests: "http_request_duration_seconds" },
  autoscaled: true,
  labels: {},
  selector: {},
};
const rules = stringify({ groups: prometheusRule(watched).spec.groups });
const service = 'namespace="shop",service="api"';
const container = 'namespace="shop",container="api",pod="api-1"';

let promtool: string;

beforeAll(async () => {
  const { bin } = await provideTools(resolveSettings(process.env), promtoolTools, () => {});
  promtool = join(bin, "promtool");
});

/** The alerts that fire at a time, by promtool's own account, for series in its notation. */
async function expectAlert(
  alert: string,
  series: { readonly [name: string]: string },
  at: string,
  firing: boolean,
): Promise<void> {
  const tests = {
    rule_files: ["rules.yaml"],
    evaluation_interval: "1m",
    tests: [
      {
        interval: "1m",
        input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
        promql_expr_test: [
          {
            expr: `count(ALERTS{alertname="${alert}",alertstate="firing"}) or vector(0)`,
            eval_time: at,
            exp_samples: [{ labels: "{}", value: firing ? 1 : 0 }],
          },
        ],
      },
    ],
  };
  const cwd = temporaryDirectory({ "rules.yaml": rules, "tests.yaml": stringify(tests) });
  const { exitCode, all } = await execa(promtool, ["test", "rules", "tests.yaml"], {
    cwd,
    all: true,
    reject: false,
  });
  expect(all).toContain("SUCCESS");
  expect(exitCode).toBe(0);
}

test("promtool accepts every rule", async () => {
  const cwd = temporaryDirectory({ "rules.yaml": rules });
  const { stdout } = await execa(promtool, ["check", "rules", "--lint=all", "--lint-fatal", "rules.yaml"], {
    cwd,
  });
  expect(stdout).toContain("SUCCESS: 6 rules found");
});

const requests = (status: string, perMinute: number) => ({
  [`http_request_duration_seconds_count{${service},status_code="${status}"}`]: `0+${perMinute}x30`,
});

test("one error in ten requests is an alert, one in a hundred is none", async () => {
  await expectAlert("WorkloadErrors", { ...requests("200", 90), ...requests("500", 10) }, "15m", true);
  await expectAlert("WorkloadErrors", { ...requests("200", 99), ...requests("500", 1) }, "15m", false);
});

test("a workload of which no pod answers is an alert, of which one answers is none", async () => {
  const up = (pod: string, value: number) => ({ [`up{${service},pod="${pod}"}`]: `${value}x30` });
  await expectAlert("WorkloadDown", { ...up("a", 0), ...up("b", 0) }, "5m", true);
  await expectAlert("WorkloadDown", { ...up("a", 0), ...up("b", 1) }, "5m", false);
});

test("requests that take seconds are an alert, fast ones are none", async () => {
  const bucket = (le: string, perMinute: number) => ({
    [`http_request_duration_seconds_bucket{${service},le="${le}"}`]: `0+${perMinute}x30`,
  });
  const slow = { ...bucket("0.5", 50), ...bucket("1", 50), ...bucket("5", 100), ...bucket("+Inf", 100) };
  const fast = { ...bucket("0.5", 100), ...bucket("1", 100), ...bucket("5", 100), ...bucket("+Inf", 100) };
  await expectAlert("WorkloadSlow", slow, "20m", true);
  await expectAlert("WorkloadSlow", fast, "20m", false);
});

test("memory near its limit is an alert", async () => {
  const memory = (used: number) => ({
    [`container_memory_working_set_bytes{${container}}`]: `${used}x30`,
    [`kube_pod_container_resource_limits{${container},resource="memory"}`]: "100x30",
  });
  await expectAlert("WorkloadMemoryNearLimit", memory(95), "15m", true);
  await expectAlert("WorkloadMemoryNearLimit", memory(50), "15m", false);
});

test("a pod that restarts again and again is an alert, one restart is none", async () => {
  const restarts = (values: string) => ({
    [`kube_pod_container_status_restarts_total{${container}}`]: values,
  });
  await expectAlert("WorkloadRestarts", restarts("0+1x30"), "15m", true);
  await expectAlert("WorkloadRestarts", restarts("0x5 1x30"), "15m", false);
});

test("an autoscaler that stays at its maximum is an alert", async () => {
  const scaler = 'namespace="shop",horizontalpodautoscaler="api"';
  const replicas = (now: number) => ({
    [`kube_horizontalpodautoscaler_status_current_replicas{${scaler}}`]: `${now}x30`,
    [`kube_horizontalpodautoscaler_spec_max_replicas{${scaler}}`]: "9x30",
  });
  await expectAlert("WorkloadAtMaximum", replicas(9), "20m", true);
  await expectAlert("WorkloadAtMaximum", replicas(8), "20m", false);
});
