import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { readDescriptor } from "../local/descriptor.ts";
import setup from "../test/support/environment.ts";
import { PulumiStack, pulumiCommand } from "../test/support/pulumi.ts";
import { Workspace } from "../test/support/workspace.ts";
import { type Row, seconds } from "./table.ts";

/** A program with nothing in it but as many ConfigMaps as the stack has resources. */
async function bareProject(
  root: string,
  resources: number,
): Promise<{ preview: () => Promise<unknown>; remove: () => Promise<void> }> {
  const directory = mkdtempSync(join(tmpdir(), "slipway-bench-"));
  const env = {
    PATH: `${root}/node_modules/.bin:${process.env.PATH}`,
    PULUMI_BACKEND_URL: `file://${directory}`,
    PULUMI_CONFIG_PASSPHRASE: "bench",
    PULUMI_SKIP_UPDATE_CHECK: "1",
  };
  const pulumi = (...args: string[]) =>
    execa(pulumiCommand as string, [...args, "--non-interactive", "--stack", "bare"], {
      cwd: directory,
      env,
      stdin: "ignore",
    });
  symlinkSync(join(root, "node_modules"), join(directory, "node_modules"));
  writeFileSync(join(directory, "package.json"), '{"type":"module"}');
  writeFileSync(
    join(directory, "Pulumi.yaml"),
    "name: bare\nruntime: {name: nodejs, options: {typescript: false}}\nmain: index.ts\n",
  );
  writeFileSync(
    join(directory, "index.ts"),
    `import * as k8s from "@pulumi/kubernetes";
const provider = new k8s.Provider("cluster", { kubeconfig: ${JSON.stringify(readDescriptor().kubeconfig)} });
for (let i = 0; i < ${resources}; i += 1) {
  new k8s.core.v1.ConfigMap(\`map-\${i}\`, { metadata: { name: \`bench-bare-\${i}\`, namespace: "default" }, data: { i: String(i) } }, { provider });
}
`,
  );
  await execa(pulumiCommand as string, ["stack", "init", "bare", "--non-interactive"], {
    cwd: directory,
    env,
  });
  await pulumi("up", "--yes", "--skip-preview");
  return {
    preview: () => pulumi("preview"),
    remove: async () => {
      await pulumi("destroy", "--yes", "--skip-preview");
      rmSync(directory, { recursive: true });
    },
  };
}

/** A preview that finds nothing to do. */
export async function bench(rounds: number): Promise<Row[]> {
  if (pulumiCommand === undefined) throw new Error("bench preview needs the Pulumi CLI on PATH");
  await setup();
  const workspace = new Workspace("bench-preview");
  workspace.configure({
    platform: { kind: "local" },
    exposure: { frontend: { type: "NodePort" }, api: { type: "NodePort" } },
  });
  workspace.commit("Configure");
  const stack = new PulumiStack(workspace);
  const values = { slipway: [] as number[], bare: [] as number[] };
  await stack.init();
  await stack.up();
  const resources = (await stack.preview()).same ?? 0;
  // The stack itself and the provider are in the bare program too.
  const bare = await bareProject(workspace.path, resources - 2);
  try {
    for (let round = 0; round < rounds; round += 1) {
      values.bare.push(await seconds(() => bare.preview()));
      values.slipway.push(await seconds(() => stack.run("preview", "--stack", workspace.stack)));
    }
  } finally {
    await stack.destroy();
    await bare.remove();
    workspace.remove();
    stack.remove();
  }
  return [
    { name: `bare program, ${resources} resources`, unit: "s", values: values.bare },
    {
      name: "local stack",
      unit: "s",
      values: values.slipway,
      against: { name: `bare program, ${resources} resources`, goal: 1.3 },
    },
  ];
}
