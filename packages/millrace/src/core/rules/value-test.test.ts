import { expect, it } from "vitest";
import type { JsonValue } from "../json.ts";
import { GLOB_TEXT_LENGTH_MAX } from "./glob.ts";
import { parseNumber, testValue } from "./value-test.ts";
import type { Outcome, ValueTest } from "./value-test.ts";

const MOUNTAIN: ValueTest = { kind: "equals", value: "mountain" };
const TWO: ValueTest = { kind: "equals", value: 2 };
const BIG: ValueTest = { kind: "equals", value: 2 ** 60 };
const KIND: ValueTest = { kind: "oneOf", values: ["sea", 2, null] };
const MOUN: ValueTest = { kind: "prefix", prefix: "moun" };
const GLOB: ValueTest = { kind: "matches", glob: "m*n" };
const THERE: ValueTest = { kind: "exists", isThere: true };
const NOT_THERE: ValueTest = { kind: "exists", isThere: false };
const AT_LEAST: ValueTest = { kind: "atLeast", bound: 18 };
const AT_MOST: ValueTest = { kind: "atMost", bound: 18 };
const ABOVE: ValueTest = { kind: "above", bound: 18 };
const BELOW: ValueTest = { kind: "below", bound: 18 };

it.each<readonly [ValueTest, JsonValue | undefined, Outcome]>([
  [MOUNTAIN, "mountain", "true"],
  [MOUNTAIN, "Mountain", "false"],
  [MOUNTAIN, ["mountain"], "false"],
  [MOUNTAIN, undefined, "missing"],
  [TWO, 2, "true"],
  [TWO, "2", "false"],
  [TWO, 2n ** 60n, "false"],
  [BIG, 2n ** 60n, "true"],
  [BIG, 2n ** 60n + 1n, "false"],
  [{ kind: "equals", value: 0.5 }, 2n ** 60n, "false"],
  [{ kind: "equals", value: null }, null, "true"],
  [{ kind: "equals", value: false }, false, "true"],
  [{ kind: "equals", value: false }, 0, "false"],
  [KIND, "sea", "true"],
  [KIND, 2, "true"],
  [KIND, null, "true"],
  [KIND, "2", "false"],
  [KIND, undefined, "missing"],
  [MOUN, "mountain", "true"],
  [MOUN, "mount", "true"],
  [MOUN, "mou", "false"],
  [MOUN, 7, "invalid"],
  [MOUN, undefined, "missing"],
  [GLOB, "mountain", "true"],
  [GLOB, "sea", "false"],
  [GLOB, null, "invalid"],
  [{ kind: "matches", glob: "*" }, "m".repeat(GLOB_TEXT_LENGTH_MAX), "true"],
  [{ kind: "matches", glob: "*" }, "m".repeat(GLOB_TEXT_LENGTH_MAX + 1), "invalid"],
  [THERE, "", "true"],
  [THERE, null, "true"],
  [THERE, undefined, "false"],
  [NOT_THERE, "", "false"],
  [NOT_THERE, undefined, "true"],
  [AT_LEAST, 18, "true"],
  [AT_LEAST, 17.9, "false"],
  [AT_LEAST, "18", "true"],
  [AT_LEAST, "1.8e1", "true"],
  [AT_LEAST, "9", "false"],
  [AT_LEAST, 2n ** 60n, "true"],
  [AT_LEAST, "eighteen", "invalid"],
  [AT_LEAST, "", "invalid"],
  [AT_LEAST, true, "invalid"],
  [AT_LEAST, [18], "invalid"],
  [AT_LEAST, undefined, "missing"],
  [AT_MOST, 18, "true"],
  [AT_MOST, 18.1, "false"],
  [ABOVE, 18, "false"],
  [ABOVE, 18.1, "true"],
  [BELOW, 18, "false"],
  [BELOW, 17.9, "true"],
])("testValue(%j, %s) is %s", (test, value, outcome) => {
  expect(testValue(test, value)).toBe(outcome);
});

it.each([
  ["0", 0],
  ["-1.50", -1.5],
  ["+2", 2],
  [".5", 0.5],
  ["3.", 3],
  ["6E-2", 0.06],
])("parseNumber() reads %j", (text, number) => {
  expect(parseNumber(text)).toBe(number);
});

it.each([
  "",
  " 1",
  "1 ",
  "0x10",
  "Infinity",
  "NaN",
  "1e999",
  "1_000",
  "1,5",
  "--1",
  "1".repeat(33),
])("parseNumber() refuses %j", (text) => {
  expect(parseNumber(text)).toBeUndefined();
});
