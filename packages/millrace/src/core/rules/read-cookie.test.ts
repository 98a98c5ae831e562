import { expect, it } from "vitest";
import { readCookie } from "./read-cookie.ts";

it.each([
  ["tier=gold", "gold"],
  ["a=1; tier=gold; b=2", "gold"],
  ["a=1;tier=gold", "gold"],
  ["a=1;\t tier=gold \t;b=2", "gold"],
  ['tier="gold"', "gold"],
  ['tier="', '"'],
  ["tier=a=b", "a=b"],
  ["tier=%20", "%20"],
  ["tier=", ""],
  ["tier=gold; tier=silver", "gold"],
  [";; =; tier=gold", "gold"],
])("readCookie() finds the cookie in %j", (header, value) => {
  expect(readCookie(header, "tier")).toBe(value);
});

it.each(["", "tier", "tier; a=1", "tiers=gold", "xtier=gold", "a=tier=gold", "Tier=gold", "t"])(
  "readCookie() is undefined when %j has no cookie of that name",
  (header) => {
    expect(readCookie(header, "tier")).toBeUndefined();
  },
);

it("readCookie() passes a header of a megabyte once, whatever stands in it", () => {
  const header = `${" ;tier".repeat(170_000)}; tier=gold`;
  const startMs = performance.now();
  expect(readCookie(header, "tier")).toBe("gold");
  expect(performance.now() - startMs).toBeLessThan(1_000);
});
