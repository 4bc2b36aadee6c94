import { z } from "zod/mini";
import { parseRuntimeConfig, type RuntimeConfig, runtimeConfigPath } from "../shared/runtime-config.ts";

const greeting = z.object({ text: z.string(), build: z.string(), pod: z.string() });
const visits = z.object({ total: z.number() });
const frontendBuild = z.object({ build: z.string(), pod: z.string() });

export type Greeting = z.output<typeof greeting>;
export type FrontendBuild = z.output<typeof frontendBuild>;

export async function fetchRuntimeConfig(): Promise<RuntimeConfig> {
  return parseRuntimeConfig(await fetchText(runtimeConfigPath));
}

export async function fetchGreeting({ apiUrl }: RuntimeConfig): Promise<Greeting> {
  return fetchJson(`${apiUrl.replace(/\/+$/, "")}/api/greeting`, greeting);
}

/**
 * Counts this visit, or asks how many there were.
 *
 * @returns their number; nothing where the api has no database
 */
export async function fetchVisits(
  { apiUrl }: RuntimeConfig,
  method: "GET" | "POST",
): Promise<number | undefined> {
  const url = `${apiUrl.replace(/\/+$/, "")}/api/visits`;
  const response = await request(url, method);
  if (response.status === 404) return undefined;
  return (await parsed(url, visits, response)).total;
}

export async function fetchFrontendBuild(): Promise<FrontendBuild> {
  return fetchJson("build.json", frontendBuild);
}

async function fetchJson<Schema extends z.ZodMiniType>(url: string, schema: Schema) {
  return parsed(url, schema, await request(url));
}

async function parsed<Schema extends z.ZodMiniType>(url: string, schema: Schema, response: Response) {
  const text = await textOf(url, response);
  try {
    return schema.parse(JSON.parse(text), { jitless: true });
  } catch (cause) {
    throw new Error(`${url} answered something else than expected`, { cause });
  }
}

async function fetchText(url: string): Promise<string> {
  return textOf(url, await request(url));
}

/** The trace that the request of this page began, where its server takes part in one, for the api to go on with. */
function traceOfThisPage(): Record<string, string> {
  const [navigation] = performance.getEntriesByType?.("navigation") ?? [];
  const timings = (navigation as PerformanceNavigationTiming | undefined)?.serverTiming ?? [];
  const traceparent = timings.find(({ name }) => name === "traceparent")?.description;
  return traceparent === undefined ? {} : { traceparent };
}

async function request(url: string, method: "GET" | "POST" = "GET"): Promise<Response> {
  try {
    return await fetch(url, {
      method,
      headers: traceOfThisPage(),
      cache: "no-store",
      credentials: "omit",
      signal: AbortSignal.timeout(10_000),
    });
  } catch (cause) {
    const why = (cause as Error).name === "TimeoutError" ? "did not answer in time" : "could not be reached";
    throw new Error(`${url} ${why}`, { cause });
  }
}

async function textOf(url: string, response: Response): Promise<string> {
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return response.text();
}
