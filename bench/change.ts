import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { readDescriptor } from "../local/descriptor.ts";
import { resolveSettings } from "../local/settings.ts";
import { kubernetesTools } from "../local/toolFamilies.ts";
import { provideTools } from "../local/tools.ts";
import { getText } from "../test/support/cluster.ts";
import setup from "../test/support/environment.ts";
import { PulumiStack, pulumiCommand } from "../test/support/pulumi.ts";
import { Workspace } from "../test/support/workspace.ts";
import { type Row, seconds } from "./table.ts";

const page = "app/frontend/index.html";
const url = "http://127.0.0.1:30580";

/** What people type: build, push, set the image, wait. */
async function bare(workspace: Workspace, tag: string): Promise<void> {
  const { docker, registry, kubeconfig, baseImage } = readDescriptor();
  const config = mkdtempSync(join(tmpdir(), "slipway-bench-"));
  const auth = Buffer.from(`${registry.username}:${registry.password}`).toString("base64");
  writeFileSync(join(config, "config.json"), JSON.stringify({ auths: { [registry.server]: { auth } } }), {
    mode: 0o600,
  });
  const env = {
    DOCKER_HOST: docker.host,
    DOCKER_CONFIG: config,
    DOCKER_BUILDKIT: "1",
    KUBECONFIG: kubeconfig,
  };
  const { bin } = await provideTools(resolveSettings(process.env), kubernetesTools, () => {});
  const kubectl = join(bin, "kubectl");
  const image = `${registry.server}/bench/frontend:${tag}`;
  try {
    await execa(
      "/usr/bin/docker",
      [
        "build",
        "--quiet",
        "--network",
        docker.network,
        "--build-arg",
        `BASE_IMAGE=${baseImage}`,
        "--tag",
        image,
        join(workspace.path, "app/frontend"),
      ],
      { env },
    );
    await execa("/usr/bin/docker", ["push", "--quiet", image], { env });
    await execa(
      kubectl,
      ["--namespace", workspace.stack, "set", "image", "deployment/frontend", `frontend=${image}`],
      { env },
    );
    await execa(kubectl, ["--namespace", workspace.stack, "rollout", "status", "deployment/frontend"], {
      env,
    });
  } finally {
    rmSync(config, { recursive: true });
  }
}

/** Waits until the page has the text in many answers in a row: old pods serve until every node has noticed that they leave. */
async function served(text: string): Promise<void> {
  let inARow = 0;
  const deadline = Date.now() + 60_000;
  while (inARow < 20) {
    inARow = (await getText(url)).includes(text) ? inARow + 1 : 0;
    if (Date.now() > deadline) throw new Error(`the page does not say ${text}`);
  }
}

/** A changed text of the page until all replicas serve it: bare tools, direct delivery, the Pulumi CLI. */
export async function bench(rounds: number): Promise<Row[]> {
  await setup();
  const workspace = new Workspace("bench-change");
  workspace.configure({
    platform: { kind: "local" },
    exposure: { frontend: { type: "NodePort", nodePort: 30580 }, api: { type: "NodePort", nodePort: 30581 } },
  });
  const stack = new PulumiStack(workspace);
  const contestants: { name: string; deliver: (tag: string) => Promise<unknown>; goal?: number }[] = [
    { name: "docker + kubectl", deliver: (tag) => bare(workspace, tag) },
    { name: "npm start, directly", deliver: () => workspace.deliver(), goal: 1.5 },
    ...(pulumiCommand === undefined ? [] : [{ name: "pulumi up", deliver: () => stack.up(), goal: 2 }]),
  ];
  const values = new Map(contestants.map(({ name }) => [name, [] as number[]]));
  const original = workspace.read(page);
  try {
    await workspace.deliver();
    if (pulumiCommand !== undefined) {
      await stack.init();
      await stack.up();
    }
    for (let round = 0; round < rounds; round += 1) {
      for (const { name, deliver } of contestants) {
        const text = `Round ${round} by ${name}`;
        workspace.write(page, original.replace("Launched with Slipway", text));
        values.get(name)?.push(
          await seconds(async () => {
            await deliver(`${round}-${Date.now()}`);
            await served(text);
          }),
        );
      }
    }
  } finally {
    await workspace.run("destroy", "--deliver", "direct");
    workspace.remove();
    stack.remove();
  }
  return contestants.map(({ name, goal }) => ({
    name,
    unit: "s",
    values: values.get(name) ?? [],
    ...(goal === undefined ? {} : { against: { name: "docker + kubectl", goal } }),
  }));
}
