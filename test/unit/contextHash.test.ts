import { chmodSync, renameSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { contextHash } from "../../infra/images/contextHash.ts";
import { temporaryDirectory, writeFiles } from "../support/temporary.ts";

const files = { Dockerfile: "FROM base", "src/main.ts": "main", "src/deep/er.ts": "deeper" };

test("the hash is twelve hexadecimal digits", () => {
  expect(contextHash(temporaryDirectory(files))).toMatch(/^[0-9a-f]{12}$/);
});

test("the same files give the same hash, wherever they are and in whatever order they were made", () => {
  const reversed = Object.fromEntries(Object.entries(files).reverse());
  expect(contextHash(temporaryDirectory(reversed))).toBe(contextHash(temporaryDirectory(files)));
});

test.each<[what: string, change: (directory: string) => void]>([
  ["a file's content", (directory) => writeFiles(directory, { "src/main.ts": "changed" })],
  ["a new file", (directory) => writeFiles(directory, { "src/new.ts": "" })],
  ["a hidden file", (directory) => writeFiles(directory, { ".npmrc": "registry=x" })],
  ["a file in a hidden directory", (directory) => writeFiles(directory, { ".config/x": "x" })],
  [
    "a file's name",
    (directory) => renameSync(join(directory, "src/main.ts"), join(directory, "src/start.ts")),
  ],
  ["the executable bit", (directory) => chmodSync(join(directory, "src/main.ts"), 0o755)],
  ["a symbolic link, even to nowhere", (directory) => symlinkSync("nowhere", join(directory, "link"))],
])("%s changes the hash", (_, change) => {
  const directory = temporaryDirectory(files);
  const before = contextHash(directory);
  change(directory);
  expect(contextHash(directory)).not.toBe(before);
});

test("content that moves from one file to the next changes the hash", () => {
  expect(contextHash(temporaryDirectory({ a: "xy", b: "" }))).not.toBe(
    contextHash(temporaryDirectory({ a: "x", b: "y" })),
  );
});

test.each([
  ["what .dockerignore excludes", { "dist/main.js": "built", "notes.md": "x" }],
  ["node_modules, at any depth", { "node_modules/a/index.js": "a", "src/node_modules/b/index.js": "b" }],
  ["the repository's own files", { ".git/HEAD": "ref" }],
])("%s does not change the hash", (_, ignored) => {
  const directory = temporaryDirectory({ ...files, ".dockerignore": "dist\n*.md\n" });
  const before = contextHash(directory);
  writeFiles(directory, ignored);
  expect(contextHash(directory)).toBe(before);
});

test("what .dockerignore takes back in changes the hash", () => {
  const directory = temporaryDirectory({ ...files, ".dockerignore": "*\n!src\n" });
  const before = contextHash(directory);
  writeFiles(directory, { "README.md": "ignored" });
  expect(contextHash(directory)).toBe(before);
  writeFiles(directory, { "src/main.ts": "changed" });
  expect(contextHash(directory)).not.toBe(before);
});

test.each(["Dockerfile", ".dockerignore"])(
  "%s changes the hash even where .dockerignore excludes it: the builder reads it",
  (file) => {
    const directory = temporaryDirectory({ ...files, ".dockerignore": "*\n!src\n" });
    const before = contextHash(directory);
    writeFiles(directory, { [file]: "*\n!src\n# changed\n" });
    expect(contextHash(directory)).not.toBe(before);
  },
);
