/** Asks a REST API, and gives the JSON of its answer. @throws with the status, and nothing that could be secret */
export async function rest<T>(
  url: string,
  { method = "GET", headers, body }: { method?: string; headers: Record<string, string>; body?: unknown },
): Promise<T> {
  const response = await fetch(url, {
    method,
    headers: { "content-type": "application/json", ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(20_000),
  });
  if (!response.ok) throw new Error(`HTTP ${response.status} to ${method} ${new URL(url).pathname}`);
  return (await response.json()) as T;
}

/** All pages of a list, up to a thousand entries; `page` counts from 1. */
export async function pages<T>(size: number, get: (page: number) => Promise<readonly T[]>): Promise<T[]> {
  const all: T[] = [];
  for (let page = 1; page <= 1000 / size; page += 1) {
    const some = await get(page);
    all.push(...some);
    if (some.length < size) break;
  }
  return all;
}
