import { expect, test } from "vitest";
import { BatchItem, type Batch } from "../core/batch/batch.ts";
import { TestClock } from "../core/test-clock.ts";
import { RunWatch } from "./run-watch.ts";

const ARRIVAL = {
  request: undefined,
  rows: 1,
  bytes: 4,
  bucket: "",
  priority: 2,
  receivedMs: 0,
  deadlineAtMs: Infinity,
} as const;

function createBatch(predictedMs: number): Batch<undefined> {
  const plan = { objectiveAtMs: Infinity, rowCostMs: 0, classStepMs: 250, sequence: 0 };
  const item = new BatchItem<undefined>(ARRIVAL, plan);
  return {
    id: 0,
    executor: 0,
    bucket: "",
    slices: [{ item, fromRow: 0, rows: 1 }],
    rows: 1,
    reason: "idle",
    headAgeMs: 0,
    leftAtMs: 0,
    predictedMs,
  };
}

/** A watch over `runs`, which a test fills and empties; who was given up is in `hung`, with its seconds. */
function createWatch() {
  const clock = new TestClock();
  const runs: { batch: Batch<undefined>; startedMs: number }[] = [];
  const hung: number[] = [];
  const watch = new RunWatch<undefined>({
    clock,
    executors: { computing: () => runs },
    onHung: (batch, ranMs) => {
      hung.push(ranMs / 1000);
      runs.splice(
        runs.findIndex((run) => run.batch === batch),
        1,
      );
    },
  });
  const start = (predictedMs: number): Batch<undefined> => {
    const batch = createBatch(predictedMs);
    runs.push({ batch, startedMs: clock.nowMs() });
    watch.start();
    return batch;
  };
  return { clock, runs, hung, watch, start };
}

test("start() leads to giving a run up after 30 s and one more look", () => {
  const { clock, hung, start } = createWatch();
  start(100);
  clock.advanceMs(31_900);
  expect(hung).toEqual([]);
  clock.advanceMs(100);
  expect(hung).toEqual([32]);
});

test("a run is left alone for 20 times its prediction when that is more", () => {
  const { clock, hung, start } = createWatch();
  start(5_000);
  clock.advanceMs(101_000);
  expect(hung).toEqual([]);
  clock.advanceMs(1_000);
  expect(hung).toEqual([102]);
});

test("a run is not given up when it ends between two looks, as after a pause of the process", () => {
  const { clock, runs, hung, start } = createWatch();
  start(100);
  clock.advanceMs(31_000);
  runs.pop();
  start(100);
  clock.advanceMs(20_000);
  expect(hung).toEqual([]);
});

test("a run that cannot be predicted has time while somebody waits for it", () => {
  const { clock, hung, start } = createWatch();
  const { slices } = start(0);
  clock.advanceMs(600_000);
  expect(hung).toEqual([]);
  for (const { item } of slices) item.isGone = true;
  clock.advanceMs(2_000);
  expect(hung).toEqual([602]);
});

test("it looks no more when nothing runs, and again when something does", () => {
  const { clock, runs, hung, start } = createWatch();
  start(100);
  runs.pop();
  clock.advanceMs(1_000);
  expect(clock.timerCount).toBe(0);
  start(100);
  start(100);
  expect(clock.timerCount).toBe(1);
  clock.advanceMs(40_000);
  expect(hung).toEqual([32, 32]);
  expect(clock.timerCount).toBe(0);
});

test("stop() ends the looks", () => {
  const { clock, hung, watch, start } = createWatch();
  start(100);
  watch.stop();
  clock.advanceMs(100_000);
  expect([hung, clock.timerCount]).toEqual([[], 0]);
});
