import { expect, it } from "vitest";
import { describeLimits } from "./describe-limits.ts";

it("describeLimits() says what one process keeps", () => {
  const limits = { concurrency: "auto", queue: 1000, ratePerSecond: undefined } as const;
  expect(describeLimits(limits, 1)).toBe("concurrency auto, queue 1000");
});

it("describeLimits() says what each process keeps, as a span where it does not divide", () => {
  const limits = { concurrency: 7, queue: 1000, ratePerSecond: 2000 };
  expect(describeLimits(limits, 2)).toBe(
    "concurrency 3 to 4, queue 500, rate 1000/s in each of 2 processes",
  );
});

it("describeLimits() says that every process runs at least one request", () => {
  const limits = { concurrency: 1, queue: 1, ratePerSecond: undefined };
  expect(describeLimits(limits, 4)).toBe("concurrency 1, queue 0 to 1 in each of 4 processes");
});

it.each([
  [0.5, "30/m"],
  [5 / 3600, "5/h"],
  [1 / 7200, "0.5/h"],
  [2000 / 3, "666.667/s"],
])("describeLimits() writes %d a second as %s", (ratePerSecond, text) => {
  const limits = { concurrency: "off", queue: 0, ratePerSecond } as const;
  expect(describeLimits(limits, 1)).toBe(`concurrency off, queue 0, rate ${text}`);
});
