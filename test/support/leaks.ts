import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** Secrets by what they are for. */
export type Marks = { readonly [what: string]: string };

/** The spellings in which a secret would be readable: as it is, in a URL, and in base64 at any place of a text. */
function spellings(secret: string): readonly string[] {
  const inBase64 = [0, 1, 2].map((shift) => {
    const text = Buffer.from("\0".repeat(shift) + secret).toString("base64");
    // What the characters beside it have a part in is left out.
    return text.slice(shift === 0 ? 0 : shift + 1, text.replace(/=+$/, "").length - 1);
  });
  return [...new Set([secret, encodeURIComponent(secret), ...inBase64])];
}

/** `what in where` for each secret that is readable in one of these texts. */
export function leaks(marks: Marks, texts: { readonly [where: string]: string | Buffer }): string[] {
  return Object.entries(marks).flatMap(([what, secret]) =>
    Object.entries(texts)
      .filter(([, text]) => spellings(secret).some((spelling) => text.includes(spelling)))
      .map(([where]) => `${what} in ${where}`),
  );
}

/** Contents of all files below a directory, by path. */
export function filesBelow(directory: string): Record<string, Buffer> {
  return Object.fromEntries(
    readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [path, readFileSync(path)]),
  );
}

/** The command lines of all processes of the machine that are seen while something happens. */
export async function commandLines(happening: () => Promise<unknown>): Promise<string> {
  const seen = new Set<string>();
  let over = false;
  const watching = (async () => {
    while (!over) {
      for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
        try {
          seen.add(readFileSync(`/proc/${pid}/cmdline`, "latin1").replaceAll("\0", " "));
        } catch {
          // It ended while being looked at.
        }
      }
      await sleep(20);
    }
  })();
  try {
    await happening();
  } finally {
    over = true;
    await watching;
  }
  return [...seen].join("\n");
}
