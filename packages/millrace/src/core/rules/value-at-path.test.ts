import { expect, it } from "vitest";
import type { JsonValue } from "../json.ts";
import type { JsonPath } from "./attributes.ts";
import { valueAtPath } from "./value-at-path.ts";

const ORDER: JsonValue = {
  customer: { tier: "gold", age: 41 },
  items: [{ price: 3 }, { price: 7 }],
  "0": "zero",
  nothing: null,
};

it.each<readonly [JsonPath, JsonValue | undefined]>([
  [["customer", "tier"], "gold"],
  [["items", 1, "price"], 7],
  [[0], "zero"],
  [["nothing"], null],
  [[], ORDER],
])("valueAtPath() finds what stands at %j", (path, value) => {
  expect(valueAtPath(ORDER, path)).toBe(value);
});

it.each<JsonPath>([
  ["customer", "name"],
  ["customer", "tier", "length"],
  ["customer", "tier", 0],
  ["items", 2],
  ["items", -1],
  ["items", "length"],
  ["nothing", "more"],
  ["toString"],
  ["__proto__"],
])("valueAtPath() is undefined where nothing of the body stands: %j", (...path) => {
  expect(valueAtPath(ORDER, path)).toBeUndefined();
});
