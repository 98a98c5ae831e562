import { expect, test } from "vitest";
import { countFailure, countSuccess, emptyStatistics } from "./statistics.ts";

test("countSuccess() adds up rows, runs and times", () => {
  const statistics = emptyStatistics();
  countSuccess(statistics, { wallMs: 10, rows: 64, queueMs: 1.5, computeMs: 2 });
  countSuccess(statistics, { wallMs: 20, rows: 1, queueMs: 0, computeMs: 0.25 });
  expect(statistics).toEqual({
    lastInferenceMs: 20,
    inferenceCount: 65,
    executionCount: 2,
    success: { count: 2, ns: 3_750_000 },
    fail: { count: 0, ns: 0 },
    queue: { count: 2, ns: 1_500_000 },
    compute: { count: 2, ns: 2_250_000 },
    batches: new Map([
      [64, { count: 1, ns: 2_000_000 }],
      [1, { count: 1, ns: 250_000 }],
    ]),
  });
});

test("countSuccess() counts at most 256 sizes of batch apart, and the known ones further", () => {
  const statistics = emptyStatistics();
  for (let rows = 1; rows <= 300; rows++) {
    countSuccess(statistics, { wallMs: 0, rows, queueMs: 0, computeMs: 1 });
  }
  countSuccess(statistics, { wallMs: 0, rows: 1, queueMs: 0, computeMs: 1 });
  expect(statistics.batches.size).toBe(256);
  expect(statistics.batches.get(1)?.count).toBe(2);
  expect(statistics.compute.count).toBe(301);
});

test("countFailure() counts nothing but the failure", () => {
  const statistics = emptyStatistics();
  countFailure(statistics, 2);
  expect(statistics).toEqual({ ...emptyStatistics(), fail: { count: 1, ns: 2_000_000 } });
});
