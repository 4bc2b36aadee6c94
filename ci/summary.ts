import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Adds up the JUnit reports in the given directories and prints `N passed, N failed, N skipped`. */
const totals = { tests: 0, failures: 0, errors: 0, skipped: 0 };
for (const directory of process.argv.slice(2)) {
  for (const file of readdirSync(directory).filter(
    (name) => name.endsWith(".xml") && name.includes("junit"),
  )) {
    // Only the suites' own counts: the sums on the root element leave out what was skipped.
    for (const [suite] of readFileSync(join(directory, file), "utf8").matchAll(/<testsuite\s[^>]*>/g)) {
      for (const key of Object.keys(totals) as (keyof typeof totals)[]) {
        totals[key] += Number(new RegExp(`\\s${key}="(\\d+)"`).exec(suite)?.[1] ?? 0);
      }
    }
  }
}
const failed = totals.failures + totals.errors;
console.log(`${totals.tests - failed - totals.skipped} passed, ${failed} failed, ${totals.skipped} skipped`);
if (failed > 0 || totals.tests === 0) process.exitCode = 1;
