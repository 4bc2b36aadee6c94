// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import indexHtml from "../../index.html?raw";
import { retryDelaysInSeconds, startPage } from "../../src/page.ts";

const greeting = { text: "Ahoy", build: "42", pod: "api-7d4b" };

/** What each URL answers, in turn; the last answer repeats. */
let answers: Record<string, Array<() => Response | Promise<Response>>>;
let requested: string[];
/** Method of each request. */
let methods: string[];

beforeEach(() => {
  vi.useFakeTimers();
  document.body.innerHTML = /<main.*<\/main>/s.exec(indexHtml)?.[0] ?? "";
  requested = [];
  methods = [];
  answers = {
    "config/config.json": [() => Response.json({ apiUrl: "http://api.example:8081/" })],
    "build.json": [() => Response.json({ build: "7", pod: "frontend-5c9f" })],
    "http://api.example:8081/api/greeting": [() => Response.json(greeting)],
  };
  vi.stubGlobal("fetch", async (url: string, { method = "GET" }: RequestInit = {}) => {
    requested.push(url);
    methods.push(`${method} ${url}`);
    const queue = answers[url] ?? [() => new Response("", { status: 404 })];
    const answer = queue.length > 1 ? queue.shift() : queue[0];
    if (!answer) throw new Error(`no answer is prepared for ${url}`);
    return answer();
  });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** Starts the page and lets everything settle that does not wait for a timer. */
async function open() {
  startPage(document);
  await settle();
}

const settle = () => vi.advanceTimersByTimeAsync(0);
const state = () => document.getElementById("page")?.dataset.state;
const shown = (id: string) => document.getElementById(id)?.textContent;
const press = (id: string) => document.getElementById(id)?.click();
const unreachable = () => Promise.reject(new TypeError("Failed to fetch"));

function configure(config: unknown) {
  answers["config/config.json"] = [() => Response.json(config)];
}

test("says that it is loading until the api answers", async () => {
  const answer = Promise.withResolvers<Response>();
  answers["http://api.example:8081/api/greeting"] = [() => answer.promise];
  await open();
  expect(state()).toBe("loading");
  expect(shown("status")).toBe("Asking the api…");
  answer.resolve(Response.json(greeting));
  await settle();
  expect(state()).toBe("ready");
});

test("shows the api’s text, its build and the pod that answered", async () => {
  await open();
  expect(state()).toBe("ready");
  expect(shown("greeting")).toBe("Ahoy");
  expect(shown("api-build")).toBe("42");
  expect(shown("api-pod")).toBe("api-7d4b");
  expect(document.getElementById("answer")?.hidden).toBe(false);
});

test("is one visit, however often it asks, and shows how many there were", async () => {
  const url = "http://api.example:8081/api/visits";
  answers[url] = [
    () => Response.json({ total: 41, latest: [] }),
    () => Response.json({ total: 43, latest: [] }),
  ];
  await open();
  expect(shown("visits")).toBe("41");
  expect(document.getElementById("visits-entry")?.hidden).toBe(false);
  press("ask");
  await settle();
  expect(shown("visits")).toBe("43");
  expect(methods.filter((request) => request.endsWith(url))).toEqual([`POST ${url}`, `GET ${url}`]);
});

test("goes on with the trace that its own request began", async () => {
  const sent: (string | null)[] = [];
  const answer = globalThis.fetch;
  vi.stubGlobal("fetch", async (url: string, init: RequestInit = {}) => {
    sent.push(new Headers(init.headers).get("traceparent"));
    return answer(url, init);
  });
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const navigation = { serverTiming: [{ name: "traceparent", description: traceparent }] };
  vi.stubGlobal("performance", { getEntriesByType: () => [navigation] });
  await open();
  expect(new Set(sent)).toEqual(new Set([traceparent]));
});

test("tells of no visits where the api has no database, and none that it does not know", async () => {
  await open();
  expect(document.getElementById("visits-entry")?.hidden).toBe(true);
  answers["http://api.example:8081/api/visits"] = [unreachable];
  press("ask");
  await settle();
  expect(state()).toBe("ready");
  expect(shown("visits")).toBe("unknown");
});

test("shows its own build and pod, even when the api is away", async () => {
  answers["http://api.example:8081/api/greeting"] = [unreachable];
  await open();
  expect(shown("frontend-build")).toBe("7");
  expect(shown("frontend-pod")).toBe("frontend-5c9f");
});

test("says that its own build is unknown when its server does not tell", async () => {
  answers["build.json"] = [unreachable];
  await open();
  expect(shown("frontend-build")).toBe("unknown");
  expect(state()).toBe("ready");
});

test("a configured title and text replace the headline and the sentence below it", async () => {
  configure({ apiUrl: "http://api.example:8081", title: "Harbour", text: "Ships welcome." });
  await open();
  expect(shown("headline")).toBe("Harbour");
  expect(document.title).toBe("Harbour");
  expect(shown("intro")).toBe("Ships welcome.");
});

test("without them the headline of index.html stays", async () => {
  const headline = shown("headline");
  expect(headline).not.toBe("");
  await open();
  expect(shown("headline")).toBe(headline);
});

test("text from outside is shown as text, never as markup", async () => {
  answers["http://api.example:8081/api/greeting"] = [
    () => Response.json({ ...greeting, text: "<img src=x onerror=alert(1)>" }),
  ];
  await open();
  expect(shown("greeting")).toBe("<img src=x onerror=alert(1)>");
  expect(document.querySelector("#greeting img")).toBeNull();
});

test("a path as apiUrl asks the page’s own origin", async () => {
  configure({ apiUrl: "/" });
  answers["/api/greeting"] = [() => Response.json(greeting)];
  await open();
  expect(state()).toBe("ready");
});

test("a bad configuration is shown by key, value and rule, and is not retried", async () => {
  configure({ apiUrl: "ftp://api.example" });
  await open();
  expect(state()).toBe("misconfigured");
  expect(shown("failure")).toBe(
    'apiUrl="ftp://api.example": must be an http or https URL without query, or a path that begins with "/"',
  );
  expect(vi.getTimerCount()).toBe(0);
  expect(shown("ask")).toBe("Reload");
});

test("after a bad configuration the button reloads the page, whose policy allows the corrected api", async () => {
  configure({ apiUrl: "ftp://api.example" });
  const reload = vi.spyOn(window.location, "reload").mockReturnValue();
  await open();
  press("ask");
  expect(reload).toHaveBeenCalledOnce();
});

test.each([
  ["that cannot be reached", unreachable, "could not be reached"],
  [
    "that takes too long",
    () => Promise.reject(new DOMException("", "TimeoutError")),
    "did not answer in time",
  ],
  ["that answers 503", () => new Response("", { status: 503 }), "answered 503"],
  ["that answers no JSON", () => new Response("<html>"), "answered something else than expected"],
  ["that answers another shape", () => Response.json({ text: 1 }), "answered something else than expected"],
])("names an api %s", async (_case, answer, what) => {
  answers["http://api.example:8081/api/greeting"] = [answer];
  await open();
  expect(state()).toBe("failed");
  expect(shown("failure")).toBe(`http://api.example:8081/api/greeting ${what}`);
});

test("names a configuration file that is missing", async () => {
  delete answers["config/config.json"];
  await open();
  expect(state()).toBe("failed");
  expect(shown("failure")).toBe("config/config.json answered 404");
});

test("retries by itself with growing delays, and stops after the last", async () => {
  answers["http://api.example:8081/api/greeting"] = [unreachable];
  await open();
  for (const seconds of retryDelaysInSeconds) {
    expect(shown("status")).toContain(`Trying again in ${seconds} s`);
    await vi.advanceTimersByTimeAsync(seconds * 1000);
  }
  expect(shown("status")).toBe("The api did not answer.");
  expect(vi.getTimerCount()).toBe(0);
  expect(asked()).toBe(1 + retryDelaysInSeconds.length);
});

test("recovers by itself when the api comes back", async () => {
  answers["http://api.example:8081/api/greeting"] = [unreachable, () => Response.json(greeting)];
  await open();
  expect(state()).toBe("failed");
  await vi.advanceTimersByTimeAsync(1000);
  expect(state()).toBe("ready");
  expect(shown("failure")).toBe("");
});

test("the button tries again at once, in place of the waiting retry", async () => {
  answers["http://api.example:8081/api/greeting"] = [unreachable, () => Response.json(greeting)];
  await open();
  expect(shown("ask")).toBe("Try again");
  press("ask");
  await settle();
  expect(state()).toBe("ready");
  expect(vi.getTimerCount()).toBe(0);
});

test("the button asks again after an answer, and shows the pod that answers then", async () => {
  answers["http://api.example:8081/api/greeting"] = [
    () => Response.json(greeting),
    () => Response.json({ ...greeting, pod: "api-9k2x" }),
  ];
  await open();
  expect(shown("api-pod")).toBe("api-7d4b");
  press("ask");
  await settle();
  expect(shown("api-pod")).toBe("api-9k2x");
});

test("pressing the button while the page is asking does not ask twice", async () => {
  const answer = Promise.withResolvers<Response>();
  answers["http://api.example:8081/api/greeting"] = [() => Response.json(greeting), () => answer.promise];
  await open();
  press("ask");
  press("ask");
  await settle();
  expect(asked()).toBe(2);
  answer.resolve(Response.json(greeting));
  await settle();
  expect(state()).toBe("ready");
});

function asked() {
  return requested.filter((url) => url.endsWith("/api/greeting")).length;
}
