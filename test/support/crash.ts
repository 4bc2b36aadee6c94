import { resolveSettings } from "../../local/settings.ts";
import { environmentStatus } from "../../local/status.ts";

/** Kills a process of the environment as a crash would. */
export async function crash(name: string): Promise<void> {
  const { processes } = await environmentStatus(resolveSettings(process.env));
  const pid = processes.find((process) => process.name === name)?.pid;
  if (pid === undefined) throw new Error(`${name} does not run`);
  process.kill(pid, "SIGKILL");
}
