import fc from "fast-check";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { type Plain, toYaml } from "../../infra/delivery/yaml.ts";

/** Strings that some YAML reads as something else than a string when they stand bare. */
const gotchas = [
  ...["y", "Y", "n", "yes", "No", "ON", "off", "true", "False", "null", "Null", "~", "", "=", "<<", "."],
  ...[
    "0",
    "010",
    "0o10",
    "0x1f",
    "0b1",
    "1_000",
    "1e3",
    "1E+3",
    ".5",
    "-1",
    "+1",
    "1.",
    ".inf",
    "-.INF",
    ".nan",
  ],
  ...["2026-11-22", "2026-11-22T07:00:00Z", "12:30:45", "1:20", "190:20:30.15", "50M", "1.5Gi", "64mi"],
  ...[
    "- a",
    "-",
    "--- a",
    "---",
    "...",
    "? a",
    ": a",
    "a: b",
    "a:",
    "a #b",
    "#a",
    "&a",
    "*a",
    "!a",
    "!!str 1",
  ],
  ...["|", ">", "|-", "@a", "`a", "%a", "{a}", "[a]", "{", "]", ",", "'a'", '"a"', "a\\b", "{{ .Values.a }}"],
  ...[
    " a",
    "a ",
    "\ta",
    "a\t",
    "a\tb",
    "a  b",
    "\u00a0",
    "é",
    "日本",
    "😀",
    "a\u0085b",
    "\u2028",
    "a\u2029b",
    "\ufeffa",
  ],
  ...["\0", "\u0007", "\u001b[0m", "\u007f", "\ufffe", "\r", "a\rb"],
];

const lines = [
  ...[
    "a\nb",
    "a\nb\n",
    "a\nb\n\n",
    "\n",
    "\n\n",
    "\na",
    " a\nb",
    "  \na",
    "a \nb",
    "a\n ",
    "a\n  b\n",
    "a\n\n\nb",
  ],
  ...[
    "a\r\nb",
    "a\tb\nc",
    "\ta\nb",
    "#a\nb",
    "---\na: b\n",
    "...\n...\n",
    "- a\n- b",
    "a: b\nc: d\n",
    "%a\n",
    "a\u2028\nb",
  ],
  ...["a\u0085\nb", "a\ufeff\nb", "😀\né\n", "a\n \nb", '{\n  "a": 1\n}\n', "a\n\u00a0", "a\n\t\n"],
];

const nested: fc.Arbitrary<Plain> = fc.letrec<{ value: Plain; map: { [key: string]: Plain } }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom(...gotchas, ...lines),
    fc.string({ unit: "binary" }),
    fc.array(fc.constantFrom(...gotchas, "a", " ", "\n"), { maxLength: 6 }).map((parts) => parts.join("")),
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number + 0),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie("value"), { maxLength: 4 }),
    tie("map"),
  ),
  map: fc.dictionary(
    fc.oneof(fc.constantFrom(...gotchas, ...lines), fc.string({ unit: "binary" })),
    tie("value"),
    {
      maxKeys: 5,
    },
  ),
})).map;

test.each([
  ["1.1", "core"],
  ["1.1", "yaml-1.1"],
  ["1.2", "core"],
] as const)("whatever is written is read back the same by YAML %s (%s)", (version, schema) => {
  fc.assert(
    fc.property(nested, (map) => {
      const text = toYaml(map as { [key: string]: Plain });
      expect(parse(text, { version, schema, merge: false, uniqueKeys: true })).toEqual(map);
    }),
    { numRuns: 2000 },
  );
});

test.each([...gotchas, ...lines])("%j stays a string, as a value, as a key and in a list", (text) => {
  const map = { [text]: text, list: [text, [text], { [text]: text }] };
  for (const version of ["1.1", "1.2"] as const)
    expect(parse(toYaml(map), { version, merge: false })).toEqual(map);
});

test("what needs no quotes has none, and a file of several lines is shown as its lines", () => {
  expect(
    toYaml({
      data: { "config.json": '{\n  "apiUrl": "http://api.example:8080/"\n}\n' },
      kind: "ConfigMap",
      apiVersion: "v1",
      list: [{ value: "Hello from Slipway", name: "GREETING" }, "50m", "64Mi", 1, true, null],
      metadata: { labels: { version: "4711", on: "yes" }, name: "a", annotations: {} },
      empty: [],
    }),
  ).toBe(`apiVersion: v1
kind: ConfigMap
metadata:
  name: a
  annotations: {}
  labels:
    "on": "yes"
    version: "4711"
data:
  config.json: |
    {
      "apiUrl": "http://api.example:8080/"
    }
empty: []
list:
- name: GREETING
  value: Hello from Slipway
- 50m
- 64Mi
- 1
- true
- null
`);
});

test("the order of keys does not change a byte", () => {
  fc.assert(
    fc.property(nested, fc.integer(), (map, seed) => {
      const shuffled = (value: Plain): Plain => {
        if (typeof value !== "object" || value === null) return value;
        if (Array.isArray(value)) return value.map(shuffled);
        const entries = Object.entries(value as { [key: string]: Plain });
        entries.sort(
          ([a], [b]) => ((a.length * 31 + seed) % 7) - ((b.length * 31 + seed) % 7) || (a < b ? 1 : -1),
        );
        return Object.fromEntries(entries.map(([key, inner]) => [key, shuffled(inner)]));
      };
      expect(toYaml(shuffled(map) as { [key: string]: Plain })).toBe(toYaml(map as { [key: string]: Plain }));
    }),
  );
});

test.each([
  ["a function", () => 1],
  ["NaN", Number.NaN],
  ["infinity", Number.POSITIVE_INFINITY],
  ["a date", new Date(0)],
  ["undefined in a list", [undefined]],
  ["a map with a class", new Map()],
])("%s is refused rather than written as something else", (_, value) => {
  expect(() => toYaml({ a: { b: [value as Plain] } })).toThrow(TypeError);
});
