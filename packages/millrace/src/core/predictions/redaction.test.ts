import { expect, it } from "vitest";
import { bucketOf, redactValue } from "./redaction.ts";

const hash = (text: string): string => `#${text}`;

it("redactValue() drops, masks and hashes", () => {
  expect(redactValue("x", { kind: "drop" }, hash)).toBeUndefined();
  expect(redactValue("x", { kind: "mask" }, hash)).toBe("***");
  expect(redactValue("x", { kind: "hmac" }, hash)).toBe("#x");
  expect(redactValue(12n, { kind: "hmac" }, hash)).toBe("#12");
  expect(redactValue({ a: [1n] }, { kind: "hmac" }, hash)).toBe('#{"a":["1"]}');
});

it("redactValue() puts numbers and numbers as text into buckets, and masks what is none", () => {
  const by10 = { kind: "bucket", by: 10 } as const;
  expect(redactValue(37, by10, hash)).toBe(30);
  expect(redactValue("37.5", by10, hash)).toBe(30);
  expect(redactValue(-1, by10, hash)).toBe(-10);
  for (const odd of ["thirty", "", null, true, [37]])
    expect(redactValue(odd, by10, hash)).toBe("***");
});

it("bucketOf() gives the lower end, −∞ below the first bucket", () => {
  const by = [18, 30, 50];
  expect([17, 18, 29.9, 30, 80, NaN].map((value) => bucketOf(value, by))).toEqual([
    -Infinity,
    18,
    18,
    30,
    50,
    NaN,
  ]);
});
