import { requireRoot } from "../machine.ts";
import { resolveSettings } from "../settings.ts";
import { environmentStatus } from "../status.ts";
import { formatStatus } from "../statusText.ts";

/** Tells what runs. Exits 1 unless everything does. */
export async function status({ json = false }: { readonly json?: boolean }): Promise<void> {
  requireRoot("npm run status");
  const found = await environmentStatus(resolveSettings(process.env));
  console.log(json ? JSON.stringify(found, undefined, 2) : formatStatus(found));
  process.exitCode = found.state === "up" ? 0 : 1;
}
