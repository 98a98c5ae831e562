import { expect, test } from "vitest";
import { TestRandom } from "../test-random.ts";
import { isSampled } from "./is-sampled.ts";
import { TraceIds } from "./trace-ids.ts";

const COUNT = 20_000;

test("isSampled() keeps the share that was asked for, and in a larger share all of a smaller one", () => {
  const random = new TestRandom(1_607);
  const ids = new TraceIds((count) => Uint8Array.from({ length: count }, () => random.below(256)));
  const traces = Array.from({ length: COUNT }, () => ids.traceId());
  const kept = (share: number): string[] => traces.filter((id) => isSampled(id, share));
  for (const share of [0.01, 0.1, 0.5]) {
    const deviation = Math.sqrt(COUNT * share * (1 - share));
    expect(Math.abs(kept(share).length - COUNT * share)).toBeLessThan(5 * deviation);
  }
  const larger = new Set(kept(0.5));
  expect(kept(0.1).every((id) => larger.has(id))).toBe(true);
});

test("isSampled() keeps none at 0 and all at 1", () => {
  const [low, high] = ["0".repeat(31) + "1", "f".repeat(32)];
  expect([isSampled(low, 0), isSampled(high, 0)]).toEqual([false, false]);
  expect([isSampled(low, 1), isSampled(high, 1)]).toEqual([true, true]);
});
