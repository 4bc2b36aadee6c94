/** An image that a commit brings. */
export interface CommittedImage {
  /** `name@sha256:…`. */
  readonly reference: string;
  /** Build number. */
  readonly version: string;
}

/**
 * The message of a delivery's commit: what is delivered in the first line, every image with its digest in the body,
 * and the commit of the sources as a trailer.
 *
 * @param source commit of the program's own repository, where it has one
 */
export function commitMessage(
  stack: string,
  images: { readonly [workload: string]: CommittedImage },
  source: string | undefined,
): string {
  const entries = Object.entries(images);
  const versions = new Set(entries.map(([, { version }]) => version));
  const what =
    versions.size === 1
      ? `build ${[...versions].join()}`
      : entries.map(([name, { version }]) => `${name} ${version}`).join(", ");
  const width = Math.max(0, ...entries.map(([name]) => name.length));
  const body = entries.map(
    ([name, { reference, version }]) => `${name.padEnd(width)}  build ${version}  ${reference}`,
  );
  const trailers = [`Stack: ${stack}`, ...(source === undefined ? [] : [`Source-Commit: ${source}`])];
  return `${[`${stack}: ${what}`, body.join("\n"), trailers.join("\n")].join("\n\n")}\n`;
}
