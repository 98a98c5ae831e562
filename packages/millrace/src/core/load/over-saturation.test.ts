import { describe, expect, it } from "vitest";
import { TestRandom } from "../test-random.ts";
import { LoadTally } from "./load-tally.ts";
import { isOversaturated, type QueueWindow } from "./over-saturation.ts";
import { serve, type TestQueue } from "./test-queue.ts";

const QUEUE: TestQueue = {
  servers: 1,
  serviceMs: 10,
  service: "exponential",
  spacing: "poisson",
};

/** Windows of a second of a queue that does 100/s. */
function windowsOf(rate: number, durationMs: number, random: TestRandom): readonly QueueWindow[] {
  const tally = new LoadTally(0);
  serve(QUEUE, { rate, warmupMs: 5_000, durationMs }, random, (atMs, doneMs) => {
    if (atMs < 0) return;
    tally.add({
      seq: 0,
      intendedMs: atMs,
      sentMs: atMs,
      firstByteMs: doneMs,
      doneMs,
      code: 200,
      bytesOut: 0,
      bytesIn: 0,
      error: "",
    });
  });
  const { timeline, window_ms } = tally.report().millrace;
  return timeline.filter(({ from_ms }) => from_ms + window_ms <= durationMs);
}

const RUNS = 50;

/** Share of runs that are called over-saturated at any of their windows: a run is looked at again and again. */
function calledShare(rate: number, durationMs: number): number {
  const random = new TestRandom(rate);
  let called = 0;
  for (let run = 0; run < RUNS; run++) {
    const windows = windowsOf(rate, durationMs, random);
    if (windows.some((_, i) => isOversaturated(windows.slice(0, i + 1)))) called += 1;
  }
  return called / RUNS;
}

describe("isOversaturated() of a queue that does 100/s", () => {
  it.each([50, 80, 95])("is never wrong at %d/s, looked at each second of a minute", (rate) => {
    expect(calledShare(rate, 60_000)).toBe(0);
  });

  it("sees 150/s and 200/s in ten seconds", () => {
    expect(calledShare(150, 10_000)).toBeGreaterThan(0.95);
    expect(calledShare(200, 10_000)).toBe(1);
  });

  it("sees 110/s in a minute", () => {
    expect(calledShare(110, 60_000)).toBeGreaterThan(0.9);
  });
});

it("isOversaturated() says nothing of fewer than six windows", () => {
  const windows = [1, 10, 100, 1_000, 10_000].map((n) => ({ under_way: n, p50_ms: n }));
  expect(isOversaturated(windows)).toBe(false);
  expect(isOversaturated([...windows, { under_way: 20_000, p50_ms: 20_000 }])).toBe(false);
});

it("isOversaturated() needs both to grow: a slower service is not one that is asked for too much", () => {
  const growing = Array.from({ length: 10 }, (_, i) => 10 + 10 * i);
  const steady = growing.map((_, i) => 10 + (i % 2));
  const windows = (underWay: readonly number[], p50: readonly number[]): readonly QueueWindow[] =>
    underWay.map((under_way, i) => ({ under_way, p50_ms: p50[i] as number }));
  expect(isOversaturated(windows(growing, growing))).toBe(true);
  expect(isOversaturated(windows(growing, steady))).toBe(false);
  expect(isOversaturated(windows(steady, growing))).toBe(false);
});

it("isOversaturated() takes no notice of a jump that stays, nor of growth of less than a half", () => {
  const jump = Array.from({ length: 12 }, (_, i) => (i < 6 ? 10 : 100));
  const slow = Array.from({ length: 12 }, (_, i) => 100 + i);
  for (const values of [jump, slow]) {
    expect(isOversaturated(values.map((n) => ({ under_way: n, p50_ms: n })))).toBe(false);
  }
});
