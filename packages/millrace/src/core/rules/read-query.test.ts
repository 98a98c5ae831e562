import { expect, it } from "vitest";
import { readQuery } from "./read-query.ts";

it.each([
  ["tier=gold", "gold"],
  ["a=1&tier=gold&b=2", "gold"],
  ["tier=dark+gold", "dark gold"],
  ["tier=%67%6fld%2B", "gold+"],
  ["tier=%C3%A9", "é"],
  ["ti%65r=gold", "gold"],
  ["tier=a=b", "a=b"],
  ["tier=", ""],
  ["tier", ""],
  ["tier=gold&tier=silver", "gold"],
  ["&&=&tier=gold", "gold"],
  ["tier=100%", "100%"],
  ["tier=%FF", "%FF"],
])("readQuery() finds and decodes the value in %j", (text, value) => {
  expect(readQuery(text, "tier")).toBe(value);
});

it("readQuery() compares names decoded", () => {
  expect(readQuery("a+b=1", "a b")).toBe("1");
  expect(readQuery("a%2Bb=2&a+b=1", "a+b")).toBe("2");
  expect(readQuery("a+b=1", "a+b")).toBeUndefined();
});

it.each(["", "tiers=gold", "xtier=gold", "a=tier=gold", "Tier=gold", "&", "="])(
  "readQuery() is undefined when %j has no value of that name",
  (text) => {
    expect(readQuery(text, "tier")).toBeUndefined();
  },
);
