import { expect, it } from "vitest";
import { BlockTally } from "./block-tally.ts";
import type { ResultBlock, ThreadFacts } from "./result-block.ts";

/** @param results rows of RESULT, in its order. */
function block(results: readonly number[][], thread: Partial<ThreadFacts> = {}): ResultBlock {
  return {
    values: Float64Array.from(results.flat()),
    count: results.length,
    errors: ["503 Service Unavailable", "timeout"],
    dropped: [],
    thread: { thread: 0, cpu: 0, measuredMs: 100, underWay: 0, connectionsPeak: 0, ...thread },
  };
}

it("add() counts each result of a block, with its error", () => {
  const blocks = new BlockTally(1_700_000_000_000);
  blocks.add(
    block([
      [0, 0, 10, 11, 15, 17, 200, 5, 7, 0],
      [1, 0, 20, 20, Number.NaN, 50, 0, 5, 0, 2],
    ]),
  );
  blocks.add({ ...block([[2, 0, 30, 31, 32, 33, 503, 5, 8, 1]]), dropped: [40, 41] });
  const report = blocks.tally.report();
  expect(report.status_codes).toEqual({ 0: 1, 200: 1, 503: 1 });
  expect(report.errors).toEqual(["timeout", "503 Service Unavailable"]);
  expect([report.bytes_out.total, report.bytes_in.total]).toEqual([15, 15]);
  expect(report.millrace.response).toMatchObject({ count: 3, min_ms: 3, p50_ms: 7, max_ms: 30 });
  expect(report.millrace.service).toMatchObject({ min_ms: 2, p50_ms: 6, max_ms: 30 });
  expect(report.millrace.first_byte).toMatchObject({ count: 2, min_ms: 1, max_ms: 4 });
  expect(report.millrace.timeline).toMatchObject([{ due: 5, dropped: 2, ok: 1, failed: 2 }]);
  expect(blocks.tally.dropped).toBe(2);
});

it("tells what threads told last, and the busiest one on average", () => {
  const blocks = new BlockTally(0);
  expect([blocks.cpu, blocks.underWay, blocks.connectionsPeak]).toEqual([0, 0, 0]);
  blocks.add(block([], { thread: 0, cpu: 0.4, underWay: 9, connectionsPeak: 10 }));
  blocks.add(block([], { thread: 0, cpu: 0.2, underWay: 3, connectionsPeak: 8 }));
  blocks.add(block([], { thread: 1, cpu: 0.25, underWay: 4, connectionsPeak: 5 }));
  expect(blocks.cpu).toBeCloseTo(0.3, 12);
  expect([blocks.underWay, blocks.connectionsPeak]).toEqual([7, 15]);
});

it("cpu is that of the measured time, however many blocks tell of the wait for the last answers", () => {
  const blocks = new BlockTally(0);
  blocks.add(block([], { cpu: 0.5, measuredMs: 10 }));
  blocks.add(block([], { cpu: 1, measuredMs: 90 }));
  for (let i = 0; i < 300; i++) blocks.add(block([], { cpu: 0.01, measuredMs: 0 }));
  expect(blocks.cpu).toBeCloseTo(0.95, 12);
});
