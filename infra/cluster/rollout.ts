import { setTimeout as sleep } from "node:timers/promises";
import { Fault } from "../fault.ts";
import { type Cluster, type KubeObject, nameOf } from "./cluster.ts";
import { explainWorkload } from "./explainWorkload.ts";
import { progressOf } from "./progress.ts";

/** Milliseconds between two looks at a rollout. */
const interval = 250;

/**
 * How many looks in a row a failure must be seen: for a moment after a change its controller says that it has seen it, and
 * still what became of the rollout before.
 */
const looksUntilCertain = 8;

/** How often pods are looked at meanwhile: those of a Rollout that is aborted are gone when it is known to be. */
const looksUntilExplained = 8;

/**
 * Waits until the new pods of a Deployment, a StatefulSet or a Rollout have replaced the old ones.
 *
 * @param signal ends the wait
 * @throws Fault when they make no progress within their deadline, or fail their analysis; the old pods keep serving
 */
export async function waitForRollout(
  cluster: Cluster,
  applied: KubeObject,
  onProgress: (summary: string) => void,
  signal?: AbortSignal,
): Promise<KubeObject> {
  const begin = performance.now();
  let seen = "";
  let failures = 0;
  for (let look = 1; ; look += 1) {
    const live = await cluster.read(applied);
    if (live === undefined)
      throw new Fault({ what: nameOf(applied), rule: "was deleted while it was rolled out" });
    const { done, failed, summary, rule } = progressOf(live, (performance.now() - begin) / 1000);
    if (done) return live;
    onProgress(summary);
    const explain = () => explainWorkload(cluster, live);
    failures = failed ? failures + 1 : 0;
    if (failures === looksUntilCertain)
      throw new Fault({ what: nameOf(live), value: summary, rule, log: (await explain()) || seen });
    if (live.kind === "Rollout" && look % looksUntilExplained === 0) seen = (await explain()) || seen;
    await sleep(interval, undefined, signal === undefined ? {} : { signal });
  }
}
