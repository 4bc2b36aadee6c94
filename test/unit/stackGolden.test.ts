import "../support/offline.ts";
import { expect, test, vi } from "vitest";
import { runProgram } from "../support/program.ts";

vi.mock("../../infra/images/buildNumber.ts", () => ({ buildNumber: () => "0123456789" }));

// A change here is a change of what a stack gets: read the diff, then `npm run test:unit -- -u`.
test.each(["local", "dev", "prod"])(
  "the %s stack registers these resources, with these inputs and secrets",
  async (stack) => {
    const { resources, outputs } = await runProgram(stack);
    const root = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");
    const text = JSON.stringify({ resources, outputs: Object.keys(outputs).sort() }, null, 2).replaceAll(
      root,
      "<root>",
    );
    await expect(`${text}\n`).toMatchFileSnapshot(`golden/${stack}.golden.json`);
  },
);
