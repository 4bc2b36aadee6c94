import { expect, test } from "vitest";
import { apiOrigin, parseRuntimeConfig, RuntimeConfigError } from "../../shared/runtime-config.ts";

test.each([
  ["http://127.0.0.1:30081", "http://127.0.0.1:30081"],
  ["https://api.example/v1", "https://api.example"],
  ["/", undefined],
  ["/backend", undefined],
])("apiUrl %j lets the page connect to %j", (apiUrl, origin) => {
  expect(apiOrigin(parseRuntimeConfig(JSON.stringify({ apiUrl })))).toBe(origin);
});

test.each([
  "",
  "api.example",
  "ftp://api.example",
  "javascript:alert(1)",
  "http://",
  "//api.example",
  "/\\api.example",
  "http://user:secret@api.example",
  "http://api.example/?a=b",
  "/backend?a=b",
  "http:api.example",
])("apiUrl %j is refused", (apiUrl) => {
  expect(() => parseRuntimeConfig(JSON.stringify({ apiUrl }))).toThrow(
    `apiUrl=${JSON.stringify(apiUrl)}: must be an http or https URL`,
  );
});

test.each([
  ["{}", "apiUrl=(missing): must be a string"],
  ['{"apiUrl": 1}', "apiUrl=1: must be a string"],
  ['{"apiUrl": "/", "title": ""}', 'title="": must not be empty'],
  ['{"apiUrl": "/", "text": 5}', "text=5: must be a string"],
  ['{"apiUrl": "/", "apiURL": "/x"}', 'apiURL="/x": is not a known key'],
  ["[]", "the file must be a JSON object, not []"],
  ["null", "the file must be a JSON object, not null"],
  ["{", "the file must be JSON:"],
])("%s is refused because %s", (json, reason) => {
  expect(() => parseRuntimeConfig(json)).toThrow(RuntimeConfigError);
  expect(() => parseRuntimeConfig(json)).toThrow(reason);
});
