import { expect, test } from "vitest";
import { countFailure, countRequest, countRun, emptyStatistics } from "./statistics.ts";

test("countRequest() adds up rows and times", () => {
  const statistics = emptyStatistics();
  countRequest(statistics, { wallMs: 10, rows: 64, queueMs: 1.5, batchMs: 0.5, computeMs: 2 });
  countRequest(statistics, { wallMs: 20, rows: 1, queueMs: 0, batchMs: 0, computeMs: 0.25 });
  expect(statistics).toEqual({
    ...emptyStatistics(),
    lastInferenceMs: 20,
    inferenceCount: 65,
    success: { count: 2, ns: 4_250_000 },
    queue: { count: 2, ns: 1_500_000 },
    computeInput: { count: 2, ns: 500_000 },
    compute: { count: 2, ns: 2_250_000 },
    computeOutput: { count: 2, ns: 0 },
  });
});

test("countRun() counts runs by their rows", () => {
  const statistics = emptyStatistics();
  countRun(statistics, 64, 2);
  countRun(statistics, 64, 1);
  countRun(statistics, 1, 0.25);
  expect(statistics.executionCount).toBe(3);
  expect(statistics.batches).toEqual(
    new Map([
      [64, { count: 2, ns: 3_000_000 }],
      [1, { count: 1, ns: 250_000 }],
    ]),
  );
});

test("countRun() counts at most 256 sizes of batch apart, and the known ones further", () => {
  const statistics = emptyStatistics();
  for (let rows = 1; rows <= 300; rows++) countRun(statistics, rows, 1);
  countRun(statistics, 1, 1);
  expect(statistics.batches.size).toBe(256);
  expect(statistics.batches.get(1)?.count).toBe(2);
  expect(statistics.executionCount).toBe(301);
});

test("countFailure() counts nothing but the failure", () => {
  const statistics = emptyStatistics();
  countFailure(statistics, 2);
  expect(statistics).toEqual({ ...emptyStatistics(), fail: { count: 1, ns: 2_000_000 } });
});
