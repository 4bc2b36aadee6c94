import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { writeTree } from "../../local/manifests/tree.ts";
import { temporaryDirectory } from "../support/temporary.ts";

/** Above every process that Linux may have. */
const deadPid = 4_194_305;

let parent: string;
let out: string;
beforeEach(() => {
  parent = temporaryDirectory();
  out = join(parent, "not/there");
});

function* files(content: string, meanwhile = () => {}) {
  yield { path: "shop/api.yaml", content };
  meanwhile();
  yield { path: "shop/web.yaml", content };
}

const write = (content: string, meanwhile?: () => void) =>
  writeTree(out, "shop", files(content, meanwhile), () => true);
const api = () => readFileSync(join(out, "shop/api.yaml"), "utf8");
const fail = () => {
  throw new Error("a leak");
};

describe("a tree that fails", () => {
  test("takes the directories with it that were not there", () => {
    expect(() => write("first", fail)).toThrow("a leak");
    expect(readdirSync(parent)).toEqual([]);
  });

  test("leaves what another run has put into them meanwhile", () => {
    const other = () => writeTree(out, "other", [{ path: "other/a.yaml", content: "theirs" }], () => true);
    expect(() =>
      write("first", () => {
        other();
        fail();
      }),
    ).toThrow("a leak");
    expect(readdirSync(out)).toEqual(["other"]);
    expect(readFileSync(join(out, "other/a.yaml"), "utf8")).toBe("theirs");
  });

  test("leaves the same stack's, which another run has finished meanwhile", () => {
    const finish = () => {
      mkdirSync(join(out, "shop"));
      writeFileSync(join(out, "shop/api.yaml"), "theirs");
    };
    expect(() => write("first", finish)).toThrow(/shop: ENOTEMPTY: could not be read or written/);
    expect(api()).toBe("theirs");
    expect(readdirSync(out)).toEqual(["shop"]);
  });
});

describe("a run that was killed between moving the folder away and putting the new one in its place", () => {
  const old = () => join(out, `.shop.${deadPid}.old`);
  beforeEach(() => {
    write("before");
    renameSync(join(out, "shop"), old());
    mkdirSync(join(out, `.shop.${deadPid}.new`));
  });

  test("loses nothing: the next one goes on with what was there", () => {
    expect(write("before")).toEqual({ written: 0, removed: 0, unchanged: 2 });
    expect(api()).toBe("before");
    expect(readdirSync(out)).toEqual(["shop"]);
  });

  test("loses nothing to a next one that fails, either", () => {
    expect(() => write("after", fail)).toThrow("a leak");
    expect(api()).toBe("before");
  });
});
