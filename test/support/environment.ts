import { execa } from "execa";

const root = new URL("../..", import.meta.url).pathname;

/** Brings the embedded environment up, or looks that it is: cluster and engine tests run on it. */
export default async function setup(): Promise<void> {
  await execa(process.execPath, ["local/slipway.js", "start", "--environment-only"], {
    cwd: root,
    stdio: "inherit",
  });
}
