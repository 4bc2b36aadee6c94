import type { RuntimeConfig } from "../shared/runtime-config.ts";
import type { FrontendBuild, Greeting } from "./services.ts";

/** What the page shows about the api. */
export type State =
  | { kind: "loading" }
  | { kind: "ready"; greeting: Greeting }
  | { kind: "failed"; detail: string; retryInSeconds: number | undefined }
  | { kind: "misconfigured"; detail: string };

export type View = ReturnType<typeof createView>;

/** The page's elements by id: index.html has them all. */
export function createView(document: Document) {
  function element(id: string): HTMLElement {
    const found = document.getElementById(id);
    if (!found) throw new Error(`index.html has no element with id ${id}`);
    return found;
  }

  return {
    onAsk(ask: () => void) {
      element("ask").addEventListener("click", ask);
    },

    showConfig({ title, text }: RuntimeConfig) {
      if (title !== undefined) {
        document.title = title;
        element("headline").textContent = title;
      }
      if (text !== undefined) element("intro").textContent = text;
    },

    showFrontendBuild({ build, pod }: FrontendBuild) {
      element("frontend-build").textContent = build;
      element("frontend-pod").textContent = pod;
    },

    /** @param total absent where the api has no database */
    showVisits(total: number | "unknown" | undefined) {
      element("visits-entry").hidden = total === undefined;
      element("visits").textContent = String(total ?? "");
    },

    show(state: State) {
      element("page").dataset.state = state.kind;
      element("status").textContent = statusOf(state);
      element("failure").textContent =
        state.kind === "failed" || state.kind === "misconfigured" ? state.detail : "";
      // While asking again, the last answer and the button that was pressed stay where they are.
      if (state.kind === "loading") return;
      element("ask").textContent = buttonTexts[state.kind];
      element("ask").hidden = false;
      element("answer").hidden = state.kind !== "ready";
      if (state.kind !== "ready") return;
      element("greeting").textContent = state.greeting.text;
      element("api-build").textContent = state.greeting.build;
      element("api-pod").textContent = state.greeting.pod;
    },
  };
}

const buttonTexts = { ready: "Ask again", failed: "Try again", misconfigured: "Reload" };

function statusOf(state: State): string {
  switch (state.kind) {
    case "loading":
      return "Asking the api…";
    case "ready":
      return "The api answered.";
    case "misconfigured":
      return "This page is not configured correctly.";
    case "failed":
      return state.retryInSeconds === undefined
        ? "The api did not answer."
        : `The api did not answer. Trying again in ${state.retryInSeconds} s.`;
  }
}
