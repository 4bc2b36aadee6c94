import { beforeEach, expect, test, vi } from "vitest";
import { Fault } from "../../infra/fault.ts";
import { projectName, stackConfig } from "../../local/deliver/project.ts";

/** Files at the project's root that a test puts in the place of the real ones, by name. */
const given = vi.hoisted(() => new Map<string, string>());

vi.mock("node:fs", async (original) => {
  const real = await original<typeof import("node:fs")>();
  return {
    ...real,
    readFileSync: (path: string, ...rest: never[]) =>
      given.get(String(path).split("/").at(-1) ?? "") ?? real.readFileSync(path, ...rest),
  };
});

beforeEach(() => given.clear());

function messageOf(stack: string): string {
  try {
    stackConfig(stack);
  } catch (error) {
    expect(error).toBeInstanceOf(Fault);
    return (error as Fault).message;
  }
  return "accepted";
}

test("the project's name is Pulumi.yaml's", () => {
  given.set("Pulumi.yaml", "name: shop\n");
  expect(projectName()).toBe("shop");
});

test("a stack's configuration is read as it is written, by full key", () => {
  given.set("Pulumi.dev.yaml", "config:\n  slipway:platform: {kind: local}\n  shop:other: 1\n");
  expect(stackConfig("dev")).toEqual({ "slipway:platform": { kind: "local" }, "shop:other": 1 });
});

test.each(["", "config:\n", "encryptionsalt: v1:x\n"])(
  "a stack file without configuration has none: %j",
  (text) => {
    given.set("Pulumi.dev.yaml", text);
    expect(stackConfig("dev")).toEqual({});
  },
);

test("a stack whose file is missing is refused with its name and an example", () => {
  expect(messageOf("nosuch")).toBe(
    "Pulumi.nosuch.yaml: absent: must exist\n  → write Pulumi.nosuch.yaml; Pulumi.local.yaml is an example",
  );
});

test("a stack file that is not YAML is refused with the place", () => {
  given.set("Pulumi.dev.yaml", "config:\n  a: [1\n");
  const message = messageOf("dev");
  expect(message).toMatch(/^Pulumi\.dev\.yaml: .* at line 3, column 1:/);
  expect(message).toContain(": must be YAML\n  → correct it");
});

test.each([
  ["at the top", "{secure: v1:abcdef}"],
  ["in a map", "{registry: {password: {secure: v1:abcdef}}}"],
  ["in a list", "[{secure: v1:abcdef}]"],
])("an encrypted value %s is refused by its key, and not shown", (_, value) => {
  given.set("Pulumi.dev.yaml", `config:\n  slipway:platform: ${value}\n`);
  expect(messageOf("dev")).toBe(
    "Pulumi.dev.yaml: slipway:platform: is encrypted, and only the Pulumi CLI can read it\n  → install the Pulumi CLI",
  );
});
