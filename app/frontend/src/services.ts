import { z } from "zod/mini";
import { parseRuntimeConfig, type RuntimeConfig, runtimeConfigPath } from "../shared/runtime-config.ts";

const greeting = z.object({ text: z.string(), build: z.string(), pod: z.string() });
const frontendBuild = z.object({ build: z.string(), pod: z.string() });

export type Greeting = z.output<typeof greeting>;
export type FrontendBuild = z.output<typeof frontendBuild>;

export async function fetchRuntimeConfig(): Promise<RuntimeConfig> {
  return parseRuntimeConfig(await fetchText(runtimeConfigPath));
}

export async function fetchGreeting({ apiUrl }: RuntimeConfig): Promise<Greeting> {
  return fetchJson(`${apiUrl.replace(/\/+$/, "")}/api/greeting`, greeting);
}

export async function fetchFrontendBuild(): Promise<FrontendBuild> {
  return fetchJson("build.json", frontendBuild);
}

async function fetchJson<Schema extends z.ZodMiniType>(url: string, schema: Schema) {
  const text = await fetchText(url);
  try {
    return schema.parse(JSON.parse(text), { jitless: true });
  } catch (cause) {
    throw new Error(`${url} answered something else than expected`, { cause });
  }
}

async function fetchText(url: string): Promise<string> {
  let response: Response;
  try {
    response = await fetch(url, {
      cache: "no-store",
      credentials: "omit",
      signal: AbortSignal.timeout(10_000),
    });
  } catch (cause) {
    const why = (cause as Error).name === "TimeoutError" ? "did not answer in time" : "could not be reached";
    throw new Error(`${url} ${why}`, { cause });
  }
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return response.text();
}
