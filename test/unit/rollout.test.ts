import type { V1DeploymentStatus } from "@kubernetes/client-node";
import { expect, test, vi } from "vitest";
import type { Cluster, KubeObject } from "../../infra/cluster/cluster.ts";
import { waitForRollout } from "../../infra/cluster/rollout.ts";
import { Fault } from "../../infra/fault.ts";

vi.mock("node:timers/promises", () => ({ setTimeout: async () => {} }));

function deployment(status: V1DeploymentStatus, replicas = 2): KubeObject {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "api", namespace: "team", generation: 3 },
    spec: { replicas, progressDeadlineSeconds: 30, selector: { matchLabels: { app: "api" } } },
    status: status as never,
  } as KubeObject;
}

const serving = { observedGeneration: 3, replicas: 2, updatedReplicas: 2, availableReplicas: 2 };
const exceeded = {
  ...serving,
  replicas: 3,
  updatedReplicas: 1,
  conditions: [{ type: "Progressing", status: "False", reason: "ProgressDeadlineExceeded" }],
};

interface Given {
  /** What the cluster tells at each look; the last one again and again. */
  readonly looks: readonly (KubeObject | undefined)[];
  readonly pods?: readonly object[];
  readonly events?: readonly object[];
  readonly logs?: { readonly [pod: string]: string };
}

/** Waits for a rollout in a made-up cluster. @returns how it ended, and what was reported meanwhile */
async function wait({ looks, pods = [], events = [], logs = {} }: Given) {
  let look = 0;
  const cluster = {
    read: async () => looks[Math.min(look++, looks.length - 1)],
    core: {
      listNamespacedPod: async ({ labelSelector }: { labelSelector: string }) => ({
        items: labelSelector === "app=api" ? pods : [],
      }),
      listNamespacedEvent: async () => ({ items: events }),
      readNamespacedPodLog: async ({ name, previous }: { name: string; previous: boolean }) => {
        const log = logs[`${name}${previous ? " (previous)" : ""}`];
        if (log === undefined) throw new Error("container has not started");
        return log;
      },
    },
  } as unknown as Cluster;
  const progress: string[] = [];
  const end = await waitForRollout(cluster, deployment({}), (summary) => progress.push(summary)).then(
    () => "done",
    (error: Error) => {
      expect(error).toBeInstanceOf(Fault);
      return error.message;
    },
  );
  return { end, progress };
}

const head =
  "Deployment team/api: 1 of 2 pods ready: must make progress within 30 s; the pods of the last good release keep serving";

test("a rollout is done when all pods are new and ready, and says how far it is until then", async () => {
  const looks = [
    deployment({ ...serving, observedGeneration: 2 }),
    deployment({ ...serving, updatedReplicas: 1 }),
    deployment({ ...serving, replicas: 3 }),
    deployment({ ...serving, availableReplicas: 1 }),
    deployment(serving),
  ];
  expect(await wait({ looks })).toEqual({
    end: "done",
    progress: ["2 of 2 pods ready", "1 of 2 pods ready", "2 of 2 pods ready", "1 of 2 pods ready"],
  });
});

test("no pods at all are done when none are wanted", async () => {
  expect((await wait({ looks: [deployment({ observedGeneration: 3 }, 0)] })).end).toBe("done");
});

test("a deadline that a former rollout exceeded is no failure of this one", async () => {
  const looks = [deployment({ ...exceeded, observedGeneration: 2 }), deployment(serving)];
  expect((await wait({ looks })).end).toBe("done");
});

test("nor is one of which the controller still tells when it has seen this one already", async () => {
  const stale = deployment(exceeded);
  expect((await wait({ looks: [stale, stale, deployment(serving)] })).end).toBe("done");
});

test("a rollout that fails says which pod, why by Kubernetes' own words and events, and its last log lines", async () => {
  const pod = {
    metadata: { name: "api-new-1" },
    status: {
      phase: "Running",
      conditions: [{ type: "Ready", status: "False" }],
      containerStatuses: [
        {
          restartCount: 3,
          state: { waiting: { reason: "CrashLoopBackOff", message: "back-off 40s" } },
          lastState: { terminated: { exitCode: 1, reason: "Error" } },
        },
      ],
    },
  };
  const good = {
    metadata: { name: "api-old-1" },
    status: { conditions: [{ type: "Ready", status: "True" }] },
  };
  const event = {
    involvedObject: { name: "api-new-1" },
    reason: "BackOff",
    message: "restarting failed container",
  };
  const other = { involvedObject: { name: "someone-else" }, reason: "Failed", message: "elsewhere" };
  const { end } = await wait({
    looks: [deployment(exceeded)],
    pods: [good, pod],
    events: [event, event, other],
    logs: { "api-new-1 (previous)": "listening\npanic: no database\n", "api-old-1": "fine\n" },
  });
  expect(end).toBe(
    [
      head,
      "  | Pod api-new-1: Running",
      "  |   CrashLoopBackOff: back-off 40s",
      "  |   ended with exit code 1 (Error), 3 restarts",
      "  |   BackOff: restarting failed container",
      "  |   log: listening",
      "  |   log: panic: no database",
    ].join("\n"),
  );
});

test("a container that the kubelet has removed meanwhile has its last words in the pod's state", async () => {
  const pod = {
    metadata: { name: "api-new-1" },
    status: {
      phase: "Running",
      containerStatuses: [
        {
          restartCount: 1,
          lastState: { terminated: { exitCode: 1, reason: "Error", message: "panic: no database\n" } },
        },
      ],
    },
  };
  const gone = "unable to retrieve container logs for containerd://1d42";
  const { end } = await wait({
    looks: [deployment(exceeded)],
    pods: [pod],
    logs: { "api-new-1 (previous)": gone, "api-new-1": gone },
  });
  expect(end).toContain("log: panic: no database");
  expect(end).not.toContain("unable to retrieve");
});

test("a pod that never started has no log, and that is no error", async () => {
  const pod = {
    metadata: { name: "api-new-1" },
    status: {
      phase: "Pending",
      containerStatuses: [
        { restartCount: 0, state: { waiting: { reason: "ImagePullBackOff", message: "not found" } } },
      ],
    },
  };
  expect((await wait({ looks: [deployment(exceeded)], pods: [pod] })).end).toBe(
    [head, "  | Pod api-new-1: Pending", "  |   ImagePullBackOff: not found"].join("\n"),
  );
});

test("a rollout without any pod says what kept its ReplicaSet from making one", async () => {
  const event = {
    involvedObject: { kind: "ReplicaSet", name: "api-7d4" },
    reason: "FailedCreate",
    message: "exceeded quota",
  };
  expect((await wait({ looks: [deployment(exceeded)], events: [event] })).end).toBe(
    [head, "  | FailedCreate: exceeded quota"].join("\n"),
  );
});

test("a Deployment that is deleted meanwhile ends the wait", async () => {
  expect((await wait({ looks: [deployment({ ...serving, updatedReplicas: 1 }), undefined] })).end).toBe(
    "Deployment team/api: was deleted while it was rolled out",
  );
});
