import { execa } from "execa";
import { root } from "../infra/projectRoot.ts";
import setup from "../test/support/environment.ts";
import { Workspace } from "../test/support/workspace.ts";
import type { Row } from "./table.ts";

/** Resident memory: of the environment's processes when idle, and of a direct delivery at its peak. */
export async function bench(): Promise<Row[]> {
  await setup();
  const { stdout } = await execa(process.execPath, ["local/slipway.js", "status", "--json"], { cwd: root });
  const { residentMiB } = JSON.parse(stdout) as { residentMiB: number };
  const workspace = new Workspace("bench-memory");
  workspace.configure({
    platform: { kind: "local" },
    exposure: { frontend: { type: "NodePort" }, api: { type: "NodePort" } },
  });
  try {
    const { stderr } = await execa(
      process.execPath,
      [
        "--import",
        `data:text/javascript,process.on("exit",()=>console.error("peak "+process.resourceUsage().maxRSS))`,
        "local/slipway.js",
        "start",
        "--stack",
        workspace.stack,
        "--deliver",
        "direct",
      ],
      { cwd: workspace.path },
    );
    const peak = Number(/peak (\d+)/.exec(stderr)?.[1]) / 1024;
    return [
      { name: "idle environment", unit: "MiB", values: [residentMiB], goal: 1536 },
      { name: "direct delivery, peak", unit: "MiB", values: [peak], goal: 250 },
    ];
  } finally {
    await workspace.run("destroy", "--deliver", "direct");
    workspace.remove();
  }
}
