import { readFile } from "node:fs/promises";
import { parseAllDocuments } from "yaml";
import { type ArgocdInstall, defaultArgocdVersion } from "../../config/argocd.ts";
import { InputError } from "../../config/error.ts";

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

const releases = "https://raw.githubusercontent.com/argoproj/argo-cd";

const files = { core: "core-install.yaml", full: "install.yaml", ha: "ha/install.yaml" } as const;

const timeoutMilliseconds = 30_000;

const hint =
  "Set slipway:delivery.install.version to a release of Argo CD, or download its manifests and set slipway:delivery.install.manifests to the file";

async function download(url: string, version: string): Promise<string> {
  let response: Response;
  try {
    response = await fetch(url, { signal: AbortSignal.timeout(timeoutMilliseconds) });
  } catch (error) {
    const reason = ((error as Error).cause as Error | undefined)?.message ?? (error as Error).message;
    throw new InputError({
      key: "slipway:delivery.install.version",
      value: version,
      rule: `cannot be downloaded from ${url} (${reason})`,
      hint,
    });
  }
  if (response.ok) return response.text();
  throw new InputError({
    key: "slipway:delivery.install.version",
    value: version,
    rule:
      response.status === 404
        ? `is no release of Argo CD: ${url} does not exist`
        : `cannot be downloaded: ${url} answers ${response.status}`,
    hint,
  });
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new InputError({
      key: "slipway:delivery.install.manifests",
      value: file,
      rule: `cannot be read (${(error as NodeJS.ErrnoException).code})`,
      hint: "Correct the path: it is relative to the directory that pulumi runs in",
    });
  }
}

function isManifest(value: unknown): value is Manifest {
  const { apiVersion, kind, metadata } = (value ?? {}) as Partial<Manifest>;
  return typeof apiVersion === "string" && typeof kind === "string" && typeof metadata?.name === "string";
}

/** Reads the objects of a manifest with several documents. Empty documents are skipped. */
export function parseManifests(text: string, source: string): Manifest[] {
  const problem = (rule: string) => new InputError({ key: source, rule, hint });
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
  if (!objects.some(({ metadata }) => metadata.name === "applications.argoproj.io"))
    throw problem("is no manifest of Argo CD: it does not define Applications");
  return objects;
}

/**
 * The official manifests of a release of Argo CD.
 *
 * @throws InputError when there is no such release, or it can neither be downloaded nor read
 */
export async function loadManifests({
  mode,
  version = defaultArgocdVersion,
  manifests,
}: ArgocdInstall): Promise<Manifest[]> {
  if (manifests !== undefined)
    return parseManifests(await read(manifests), `slipway:delivery.install.manifests = "${manifests}"`);
  const url = `${releases}/${version}/manifests/${files[mode]}`;
  return parseManifests(await download(url, version), url);
}
