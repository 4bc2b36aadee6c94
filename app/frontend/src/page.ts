import { type RuntimeConfig, RuntimeConfigError } from "../shared/runtime-config.ts";
import { fetchFrontendBuild, fetchGreeting, fetchRuntimeConfig, fetchVisits } from "./services.ts";
import { createView } from "./view.ts";

/** How long to wait before each retry; after the last one only the button asks again. */
export const retryDelaysInSeconds = [1, 2, 4, 8, 16];

/** Shows the api's answer in the page, and keeps asking for a while when there is none. */
export function startPage(document: Document): void {
  const view = createView(document);
  let config: RuntimeConfig | undefined;
  let asking = false;
  let counted = false;
  let misconfigured = false;
  let timer: ReturnType<typeof setTimeout> | undefined;

  async function ask(failures = 0): Promise<void> {
    if (asking) return;
    asking = true;
    clearTimeout(timer);
    view.show({ kind: "loading" });
    try {
      config ??= await fetchRuntimeConfig();
      view.showConfig(config);
      view.show({ kind: "ready", greeting: await fetchGreeting(config) });
      askForVisits(config);
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      misconfigured = error instanceof RuntimeConfigError;
      if (misconfigured) {
        view.show({ kind: "misconfigured", detail });
      } else {
        const retryInSeconds = retryDelaysInSeconds[failures];
        if (retryInSeconds !== undefined) timer = setTimeout(ask, retryInSeconds * 1000, failures + 1);
        view.show({ kind: "failed", detail, retryInSeconds });
      }
    } finally {
      asking = false;
    }
  }

  /** A page that is loaded is a visit, however often it asks. The answer counts without it, too. */
  async function askForVisits(from: RuntimeConfig): Promise<void> {
    try {
      view.showVisits(await fetchVisits(from, counted ? "GET" : "POST"));
      counted = true;
    } catch {
      view.showVisits("unknown");
    }
  }

  async function askForFrontendBuild(): Promise<void> {
    const unknown = { build: "unknown", pod: "unknown" };
    view.showFrontendBuild(await fetchFrontendBuild().catch(() => unknown));
  }

  view.onAsk(() => {
    // A corrected configuration may name another api, which the policy of the loaded page does not allow.
    if (misconfigured) document.defaultView?.location.reload();
    else ask();
  });
  ask();
  askForFrontendBuild();
}
