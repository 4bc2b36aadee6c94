import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { statusOf } from "../infra/gitops/argocd/status.ts";
import { applicationOf, awaitSync, requestRefresh } from "../infra/gitops/argocd/sync.ts";
import { readDescriptor } from "../local/descriptor.ts";
import { resolveSettings } from "../local/settings.ts";
import { kubernetesTools } from "../local/toolFamilies.ts";
import { provideTools } from "../local/tools.ts";
import { clients, getGreeting } from "../test/support/cluster.ts";
import { embeddedCluster, ManifestsClone, startGitops } from "../test/support/gitops.ts";
import { Workspace } from "../test/support/workspace.ts";
import { type Row, seconds } from "./table.ts";

/** The stack that is synced, and its twin that nobody but kubectl touches. */
const synced = { stack: "bench-gitops", ports: { frontend: 30590, api: 30591 } };
const bare = { stack: "bench-kubectl", ports: { frontend: 30592, api: 30593 } };

function workspaceOf({ stack, ports }: typeof synced): Workspace {
  const workspace = new Workspace(stack);
  // A migration is a Job before each sync, which kubectl does not run.
  workspace.withoutDatabase();
  workspace.configure({
    platform: { kind: "local" },
    exposure: {
      frontend: { type: "NodePort", nodePort: ports.frontend },
      api: { type: "NodePort", nodePort: ports.api },
    },
  });
  return workspace;
}

/**
 * Waits until the text is in many answers at once: old pods serve until every node has noticed that they leave. Between
 * two looks the machine is left to those who are measured.
 */
async function served({ stack, ports }: typeof synced, text: string): Promise<void> {
  const deadline = Date.now() + 120_000;
  for (;;) {
    const asked = Array.from({ length: 20 }, () => getGreeting(`http://127.0.0.1:${ports.api}`));
    const answers = await Promise.allSettled(asked);
    if (answers.every((answer) => answer.status === "fulfilled" && answer.value.text === text)) return;
    if (Date.now() > deadline) throw new Error(`the api of ${stack} does not say ${text}`);
    await sleep(200);
  }
}

const invalid = `apiVersion: v1\nkind: Service\nmetadata:\n  name: refused\n  namespace: ${synced.stack}\nspec:\n  ports: [{ port: 70000 }]\n`;

/** A push until every pod serves it, against kubectl; drift until it is healed; a fix after a refused commit. */
export async function bench(rounds: number): Promise<Row[]> {
  await startGitops();
  const workspaces = [workspaceOf(synced), workspaceOf(bare)] as const;
  const cluster = embeddedCluster();
  const { apps } = clients();
  const { bin } = await provideTools(resolveSettings(process.env), kubernetesTools, () => {});
  const kubectl = (args: readonly string[], input?: string) =>
    execa(
      join(bin, "kubectl"),
      ["--kubeconfig", readDescriptor().kubeconfig, "--namespace", bare.stack, ...args],
      {
        ...(input === undefined ? {} : { input }),
      },
    );
  const values = {
    kubectl: [] as number[],
    gitops: [] as number[],
    one: [] as number[],
    ten: [] as number[],
    fix: [] as number[],
  };
  let manifests: ManifestsClone | undefined;
  try {
    await workspaces[0].deliver("--delivery", "gitops");
    await workspaces[1].deliver();
    manifests = new ManifestsClone();
    const file = `${synced.stack}/api/deployment.yaml`;
    const original = manifests.git("show", `HEAD:${file}`);
    const saying = (text: string) => original.replace(/Hello from Slipway/, text);
    const namespace = synced.stack;
    const push = async () => requestRefresh(cluster, namespace, (manifests as ManifestsClone).push());
    const scale = async () => {
      const body = [{ op: "replace", path: "/spec/replicas", value: 3 }];
      await apps.patchNamespacedDeploymentScale({ namespace, name: "api", body });
    };
    const healed = async () => {
      const deadline = Date.now() + 120_000;
      while ((await apps.readNamespacedDeployment({ namespace, name: "api" })).spec?.replicas !== 2) {
        if (Date.now() > deadline) throw new Error("the drift is not healed");
        await sleep(20);
      }
    };
    const drift = () =>
      seconds(async () => {
        await scale();
        await healed();
      });

    for (let round = 0; round < rounds; round += 1) {
      const text = `Round ${round}`;
      values.kubectl.push(
        await seconds(async () => {
          const manifest = saying(text).replaceAll(synced.stack, bare.stack);
          await kubectl(["apply", "--server-side", "--force-conflicts", "-f", "-"], manifest);
          await kubectl(["rollout", "status", "deployment/api"]);
          await served(bare, text);
        }),
      );
      manifests.commitHere({ [file]: `${saying(text)}\n` });
      values.gitops.push(
        await seconds(async () => {
          await push();
          await served(synced, text);
        }),
      );
      const revision = manifests.git("rev-parse", "HEAD");
      const goal = { namespace, timeoutSeconds: 120, isSame: async () => false, onProgress: () => {} };
      await awaitSync(cluster, { ...goal, revision });
      await sleep(6000);
      values.one.push(await drift());

      const path = `${synced.stack}/refused/service.yaml`;
      manifests.commitHere({ [path]: invalid });
      await push();
      const refused = async () =>
        statusOf(
          (await cluster.read(applicationOf(namespace))) ?? applicationOf(namespace),
        ).operationState?.syncResult?.resources?.some(({ status }) => status === "SyncFailed") ?? false;
      while (!(await refused())) await sleep(100);
      manifests.commitHere({ [path]: undefined, [file]: `${saying(`Fix ${round}`)}\n` });
      values.fix.push(
        await seconds(async () => {
          await push();
          await served(synced, `Fix ${round}`);
        }),
      );
    }
    await sleep(6000);
    for (let count = 0; count < 10; count += 1) values.ten.push(await drift());
  } finally {
    for (const workspace of workspaces) {
      await workspace.run("destroy", "--deliver", "direct");
      workspace.remove();
    }
    manifests?.remove();
  }
  const unit = "s" as const;
  const peer = "kubectl apply + rollout status";
  return [
    { name: peer, unit, values: values.kubectl },
    { name: "git push, synced by Argo CD", unit, values: values.gitops, against: { name: peer, goal: 1.5 } },
    { name: "one drift healed", unit, values: values.one, goal: 1 },
    { name: "ten drifts in a row, each", unit, values: values.ten, goal: 5 },
    { name: "fix after a refused commit", unit, values: values.fix, goal: 10 },
  ];
}
