import { readFile } from "node:fs/promises";
import { parseAllDocuments } from "yaml";
import { InputError } from "../config/error.ts";
import { fromRoot } from "../projectRoot.ts";

/** A Kubernetes object as a manifest has it. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: { readonly [key: string]: string };
    readonly annotations?: { readonly [key: string]: string };
  };
  readonly [field: string]: unknown;
}

/** Where the official manifests of a product's release are. */
export interface OfficialRelease {
  /** Name of the product, for people. */
  readonly product: string;
  /** Key of the stack's configuration that says how it is installed. */
  readonly key: string;
  readonly version: string;
  readonly url: string;
  /** A custom resource that its manifests define: its plural for people, and its definition's name. */
  readonly defines: readonly [plural: string, name: string];
  /** File with them, where they are not to be downloaded. */
  readonly file: string | undefined;
}

const timeoutMilliseconds = 30_000;

function hint({ product, key }: Pick<OfficialRelease, "product" | "key">): string {
  return `Set ${key}.version to a release of ${product}, or download its manifests and set ${key}.manifests to the file`;
}

async function download(release: OfficialRelease): Promise<string> {
  const { product, key, version, url } = release;
  const problem = (rule: string) =>
    new InputError({ key: `${key}.version`, value: version, rule, hint: hint(release) });
  let response: Response;
  try {
    response = await fetch(url, { signal: AbortSignal.timeout(timeoutMilliseconds) });
  } catch (error) {
    const reason = ((error as Error).cause as Error | undefined)?.message ?? (error as Error).message;
    throw problem(`cannot be downloaded from ${url} (${reason})`);
  }
  if (response.ok) return response.text();
  throw problem(
    response.status === 404
      ? `is no release of ${product}: ${url} does not exist`
      : `cannot be downloaded: ${url} answers ${response.status}`,
  );
}

async function read(file: string, key: string): Promise<string> {
  try {
    return await readFile(fromRoot(file), "utf8");
  } catch (error) {
    throw new InputError({
      key: `${key}.manifests`,
      value: file,
      rule: `cannot be read (${(error as NodeJS.ErrnoException).code})`,
      hint: "Correct the path: a relative one is relative to the project's root",
    });
  }
}

function isManifest(value: unknown): value is Manifest {
  const { apiVersion, kind, metadata } = (value ?? {}) as Partial<Manifest>;
  return typeof apiVersion === "string" && typeof kind === "string" && typeof metadata?.name === "string";
}

function parse(text: string, source: string, release: OfficialRelease): Manifest[] {
  const { product, defines } = release;
  const problem = (rule: string) => new InputError({ key: source, rule, hint: hint(release) });
  const documents = parseAllDocuments(text, { prettyErrors: false });
  if (!Array.isArray(documents) || documents.length === 0) throw problem("has no Kubernetes object in it");
  const objects = documents.flatMap((document) => {
    const error = document.errors[0];
    if (error !== undefined) throw problem(`is not YAML (${error.message})`);
    const value: unknown = document.toJS();
    if (value === null || value === undefined) return [];
    if (!isManifest(value)) throw problem("has a document that is no Kubernetes object");
    return [value];
  });
  if (!objects.some(({ metadata }) => metadata.name === defines[1]))
    throw problem(`is no manifest of ${product}: it does not define ${defines[0]}`);
  return objects;
}

/**
 * The official manifests of a release. Empty documents are skipped.
 *
 * @throws InputError when there is no such release, or it can neither be downloaded nor read
 */
export async function officialManifests(release: OfficialRelease): Promise<Manifest[]> {
  const { file, url, key } = release;
  return file === undefined
    ? parse(await download(release), url, release)
    : parse(await read(file, key), `${key}.manifests = "${file}"`, release);
}
