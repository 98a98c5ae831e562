import { expect, test } from "vitest";
import { backoffMs } from "./backoff.ts";

test("backoffMs() spreads the waits from nothing to a bound that doubles up to 250 ms", () => {
  const bounds = [1, 2, 3, 4, 5, 10].map((retry) => backoffMs(retry, 1));
  expect(bounds).toEqual([25, 50, 100, 200, 250, 250]);
  expect(backoffMs(3, 0)).toBe(0);
  expect(backoffMs(3, 0.5)).toBe(50);
});
