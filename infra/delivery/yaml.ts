/** What YAML and JSON have in common. A key whose value is undefined is left out. */
export type Plain =
  | string
  | number
  | boolean
  | null
  | undefined
  | readonly Plain[]
  | { readonly [key: string]: Plain };

/** Keys that come first, in this order, as in every Kubernetes manifest. The others follow by name. */
const leading = new Map(
  ["apiVersion", "kind", "metadata", "name", "namespace"].map((key, index) => [key, index - 9]),
);

function precedes(one: string, other: string): boolean {
  const [first, second] = [leading.get(one) ?? 0, leading.get(other) ?? 0];
  return first === second ? one < other : first < second;
}

/** By insertion: an object of a manifest has a handful of keys, mostly in order already. */
function sortedKeys(map: { readonly [key: string]: Plain }): string[] {
  const keys = Object.keys(map);
  for (let end = 1; end < keys.length; end += 1) {
    const key = keys[end] as string;
    let at = end;
    for (; at > 0 && precedes(key, keys[at - 1] as string); at -= 1) keys[at] = keys[at - 1] as string;
    keys[at] = key;
  }
  return keys;
}

/**
 * Strings that every YAML reads as themselves without quotes: they begin as no number, date or indicator does.
 * Quantities such as 50m and 64Mi are among them.
 */
const bare = /^(?:[A-Za-z/](?:[\w./@-]|:(?=[\w./@-])| (?=[\w./@-]))*|\d+(?:m|[KMGTPE]i))$/;
/** What YAML 1.1, which Kubernetes' own parser follows, reads as a boolean or as null. */
const reserved = /^(?:y|n|yes|no|on|off|true|false|null)$/i;
/** Characters that YAML does not print, or takes for line ends or a byte order mark, and JSON leaves as they are. */
const unprintable = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g;

function quoted(text: string): string {
  return JSON.stringify(text).replace(
    unprintable,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** What a block scalar cannot show or an editor would not: odd first lines, spaces at line ends, control characters. */
const hidden = /^[ \n]| \n| $|[^\P{C}\n]|[\u2028\u2029\ufeff\ufffe\uffff]/u;

const lineStarts = Array.from({ length: 64 }, (_, depth) => `\n${"  ".repeat(depth)}`);

function newLine(depth: number): string {
  return lineStarts[depth] ?? `\n${"  ".repeat(depth)}`;
}

/** Text of several lines as it is, so that a change of a configuration file is a change of its lines. */
function literal(text: string, depth: number): string {
  if (hidden.test(text)) return quoted(text);
  const body = text.endsWith("\n") ? text.slice(0, -1) : text;
  const keep = text === body ? "-" : body.endsWith("\n") ? "+" : "";
  return `|${keep}${`\n${body}`.replace(/\n(?!\n|$)/g, newLine(depth))}`;
}

/** Texts occur again and again: names, labels, field names. Long ones, such as files, do not. */
class Scalars {
  readonly #known = new Map<string, string>();

  text(text: string): string {
    let written = this.#known.get(text);
    if (written === undefined) {
      written = bare.test(text) && !reserved.test(text) ? text : quoted(text);
      if (text.length <= 128 && this.#known.size < 4096) this.#known.set(text, written);
    }
    return written;
  }

  of(value: Plain, depth: number): string {
    switch (typeof value) {
      case "string":
        return value.includes("\n") ? literal(value, depth) : this.text(value);
      case "number":
        if (!Number.isFinite(value)) throw new TypeError(`${value} is not a number of JSON`);
        // YAML 1.1 wants a point in a number that has an exponent.
        return String(value).replace(/^(-?\d+)e/, "$1.0e");
      case "boolean":
        return value ? "true" : "false";
      default:
        if (value === null) return "null";
        throw new TypeError(`${typeof value} is not plain data`);
    }
  }
}

const scalars = new Scalars();

function isPlainObject(value: object): value is { readonly [key: string]: Plain } {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/**
 * Collects a document's parts. They are joined at the end: a string that grows by the piece stays a tree of pieces, of
 * ten times the memory.
 */
class Document {
  readonly #parts: string[] = [];

  map(map: { readonly [key: string]: Plain }, depth: number): void {
    if (!isPlainObject(map)) throw new TypeError("an object with a class is not plain data");
    let first = true;
    for (const key of sortedKeys(map)) {
      const value = map[key];
      if (value === undefined) continue;
      if (!first) this.#parts.push(newLine(depth));
      first = false;
      this.#parts.push(scalars.text(key));
      if (typeof value !== "object" || value === null) {
        this.#parts.push(": ", scalars.of(value, depth + 1));
      } else if (Array.isArray(value)) {
        this.#parts.push(":");
        if (value.length > 0) this.#parts.push(newLine(depth));
        else this.#parts.push(" ");
        this.list(value, depth);
      } else {
        this.#parts.push(":");
        const at = this.#parts.push(newLine(depth + 1));
        this.map(value as { readonly [key: string]: Plain }, depth + 1);
        if (this.#parts[at] === "{}") this.#parts[at - 1] = " ";
      }
    }
    if (first) this.#parts.push("{}");
  }

  list(list: readonly Plain[], depth: number): void {
    for (const [index, value] of list.entries()) {
      if (index > 0) this.#parts.push(newLine(depth));
      this.#parts.push("- ");
      if (typeof value !== "object" || value === null) this.#parts.push(scalars.of(value, depth + 1));
      else if (Array.isArray(value)) this.list(value, depth + 1);
      else this.map(value as { readonly [key: string]: Plain }, depth + 1);
    }
    if (list.length === 0) this.#parts.push("[]");
  }

  text(): string {
    return `${this.#parts.join("")}\n`;
  }
}

/**
 * A map as a YAML document in block style, the same bytes whatever the order of its keys. It means the same to YAML
 * 1.1 and 1.2, and is made for the speed of many small objects: general emitters decide about styles, anchors and
 * tags that a manifest never has. `npm run bench -- render` compares them.
 *
 * @throws TypeError for what JSON cannot have: a function, NaN, an object with a class such as a Pulumi Output
 */
export function toYaml(map: { readonly [key: string]: Plain }): string {
  const document = new Document();
  document.map(map, 0);
  return document.text();
}
