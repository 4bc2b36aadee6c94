import * as pulumi from "@pulumi/pulumi";
import { expect, test } from "vitest";
import { lift } from "../../infra/workloads/lift.ts";

const join = (known: { readonly [key: string]: string }) => Object.values(known).join(" ");
const resolve = (value: pulumi.Input<string>) => new Promise((done) => pulumi.output(value).apply(done));

test("plain strings give a plain result", () => {
  expect(lift({ a: "1", b: "2" }, join)).toBe("1 2");
  expect(lift({}, () => "nothing")).toBe("nothing");
});

test.each<[string, Record<string, pulumi.Input<string>>]>([
  ["one", { a: pulumi.output("1"), b: "2" }],
  ["all", { a: pulumi.output("1"), b: pulumi.output("2") }],
  ["a promise among them", { a: Promise.resolve("1"), b: pulumi.output("2") }],
])("values that are known later give a result that is known later: %s", async (_, values) => {
  expect(await resolve(lift(values, join))).toBe("1 2");
});

test("a result is secret when any of its values is", async () => {
  const [plain, secret] = [pulumi.output("1"), pulumi.secret("2")];
  const isSecret = (values: Record<string, pulumi.Input<string>>) =>
    pulumi.isSecret(pulumi.output(lift(values, join)));
  expect(await isSecret({ a: secret, b: plain })).toBe(true);
  expect(await isSecret({ a: plain, b: secret })).toBe(true);
  expect(await isSecret({ a: plain, b: "2" })).toBe(false);
});
