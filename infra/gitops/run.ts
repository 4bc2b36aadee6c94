// Run by the dynamic provider, in the project's own Node.js: a delivery as JSON on standard input, what it came to as
// JSON on standard output, and its progress on standard error.
import { text } from "node:stream/consumers";
import { explain } from "../../local/fault.ts";
import { type ReleaseInputs, release } from "./release.ts";

try {
  const inputs = JSON.parse(await text(process.stdin)) as ReleaseInputs;
  const released = await release(inputs, (line) => console.error(line));
  console.log(JSON.stringify({ released }));
} catch (error) {
  console.log(JSON.stringify({ error: explain(error) }));
}
