import { existsSync } from "node:fs";
import { execa } from "execa";

const path = "/usr/bin/chromium";

/** Debian's Chromium: the path of its executable. Installs it where it is missing and this is root on Debian. */
export async function installChromium(): Promise<string> {
  if (existsSync(path)) return path;
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  await execa("apt-get", ["update", "--quiet"], { env });
  await execa("apt-get", ["install", "--yes", "--no-install-recommends", "chromium"], { env });
  return path;
}
