import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { expect, test } from "vitest";
import { root } from "../../infra/projectRoot.ts";
import { temporaryDirectory } from "../support/temporary.ts";

/** Makes Node.js lack what came after 20.15. */
const old =
  "data:text/javascript,delete process.getBuiltinModule; Object.defineProperty(process.features, 'typescript', { value: undefined })";

test("a Node.js that is too old is told so, where the project's own is not installed", async () => {
  const directory = temporaryDirectory({ "infra/package.json": '{"type":"module"}' });
  copyFileSync(join(root, "infra/own-node.js"), join(directory, "infra/own-node.js"));
  const { exitCode, stderr } = await execa(
    process.execPath,
    [`--import=${old}`, "--import=./own-node.js", "--eval", ""],
    { cwd: join(directory, "infra"), reject: false },
  );
  expect([exitCode, stderr]).toEqual([
    1,
    `node = ${process.version}: must be 24 or newer. Run npm ci: it brings the project's own.`,
  ]);
});
