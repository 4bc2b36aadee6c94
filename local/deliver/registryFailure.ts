import { logPath, tail } from "../process.ts";
import { resolveSettings } from "../settings.ts";

/** Lines to look at: each answer is one, and docker tries a layer five times. */
const lastLines = 200;

/** Why the embedded registry could not do what it was asked for, last, as its log has it. */
export function registryFailure(since: Date): string | undefined {
  return tail(logPath(resolveSettings(process.env), "registry"), lastLines)
    .split("\n")
    .filter((line) => line.includes("level=error") && line.includes("http.response.status=5"))
    .filter((line) => new Date(/^time="([^"]+)"/.exec(line)?.[1] ?? 0) >= since)
    .map((line) => /err\.detail="([^"]+)"/.exec(line)?.[1])
    .findLast((detail) => detail !== undefined);
}
