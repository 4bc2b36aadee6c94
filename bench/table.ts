/** What one contestant of a benchmark took. */
export interface Row {
  readonly name: string;
  readonly unit: "s" | "ms" | "MiB";
  /** One value a round. */
  readonly values: readonly number[];
  /** The contestant that this one is compared with, by its median. */
  readonly against?: { readonly name: string; readonly goal: number };
  /** Absolute goal in the row's unit. */
  readonly goal?: number;
  /** What else was counted. */
  readonly note?: string;
}

/** The middle value: of an even number of values, the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

/** A table for people: median, range, and the ratio to what it is compared with. */
export function formatTable(rows: readonly Row[]): string {
  const width = Math.max(...rows.map(({ name }) => name.length));
  return rows
    .map(({ name, unit, values, against, goal, note }) => {
      const middle = median(values);
      const digits = { s: 2, ms: 1, MiB: 0 }[unit];
      const range =
        values.length > 1
          ? ` (${Math.min(...values).toFixed(digits)} to ${Math.max(...values).toFixed(digits)}, ${values.length} rounds)`
          : "";
      const other = rows.find((row) => row.name === against?.name);
      const ratio =
        other === undefined || against === undefined
          ? ""
          : `  ${(middle / median(other.values)).toFixed(2)}x of ${other.name}, goal ${against.goal}x`;
      return `${name.padEnd(width)}  ${middle.toFixed(digits)} ${unit}${range}${ratio}${goal === undefined ? "" : `  goal ${goal} ${unit}`}${note === undefined ? "" : `  ${note}`}`;
    })
    .join("\n");
}

/** Seconds that an action takes. */
export async function seconds(action: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await action();
  return (performance.now() - begin) / 1000;
}
