// Loaded before the program (Pulumi.yaml, nodeargs). The program is TypeScript that Node.js 24 runs as it is, and
// `npm ci` brings that Node.js: when `pulumi` was started where another one is first on PATH, go on in the project's.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

// Compiled code is kept between runs: loading Pulumi's SDK is most of a program's start.
process.getBuiltinModule?.("node:module").enableCompileCache?.();

const own = fileURLToPath(new URL("../node_modules/.bin/node", import.meta.url));

if (!process.features.typescript) {
  if (!existsSync(own)) {
    console.error(`node = ${process.version}: must be 24 or newer. Run npm ci: it brings the project's own.`);
    process.exit(1);
  }
  const { status, signal } = spawnSync(own, [...process.execArgv, ...process.argv.slice(1)], {
    stdio: "inherit",
  });
  if (signal !== null) process.kill(process.pid, signal);
  process.exit(status ?? 1);
}
