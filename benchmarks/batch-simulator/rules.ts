import type { FifoRule, QueueView } from "./fifo-policy.ts";
import { meanRunMs } from "./workload.ts";

/** Requests that wait at most where a rule refuses nobody otherwise. */
const QUEUE_MAX = 2000;

/** Sends what waits, up to `rowsMax`, whenever the executor is free. `none` is greedy with batches of one. */
export function greedy(rowsMax = Infinity): FifoRule {
  return {
    admits: hasRoom,
    dropsFirst: never,
    rowsToRun: ({ rows, model }) => Math.min(rows, rowsMax, model.rowsMax),
    waitMs: () => Infinity,
  };
}

/** Waits for a full batch, or until the first request is `windowMs` old. */
export function window(windowMs: number): FifoRule {
  return {
    admits: hasRoom,
    dropsFirst: never,
    rowsToRun: (queue) => {
      const isDue = queue.rows >= queue.model.rowsMax || queue.headAgeMs >= windowMs - 1e-9;
      return isDue ? fullOrAll(queue) : 0;
    },
    waitMs: ({ headAgeMs }) => windowMs - headAgeMs,
  };
}

/**
 * Refuses who would be late in the next batch, gives up who cannot make it even alone, and shrinks the batch so that
 * the first request still makes it. Small batches do less work in the same time, so the next one is later: a spiral.
 */
export function trim(): FifoRule {
  return {
    admits: ({ rows, runningMs, model }) => {
      const ownMs = meanRunMs(model, Math.min(rows + 1, model.rowsMax));
      return runningMs + ownMs <= 0.9 * model.sloMs;
    },
    dropsFirst: ({ headAgeMs, model }) => headAgeMs + meanRunMs(model, 1) > model.sloMs,
    rowsToRun: (queue) => {
      const { perRowMs, fixedMs, sloMs } = queue.model;
      const leftMs = sloMs - queue.headAgeMs - fixedMs;
      return Math.max(1, Math.min(fullOrAll(queue), Math.floor(leftMs / perRowMs)));
    },
    waitMs: () => Infinity,
  };
}

/** Greedy, but refuses who is predicted to be late, and gives up who would be late. */
export function earlyDrop(): FifoRule {
  return {
    admits: (queue) => predictedMs(queue) <= 0.95 * queue.model.sloMs,
    dropsFirst: (queue) =>
      queue.headAgeMs + meanRunMs(queue.model, fullOrAll(queue)) > queue.model.sloMs,
    rowsToRun: fullOrAll,
    waitMs: () => Infinity,
  };
}

/**
 * The rule of BentoML's dispatcher, with a and b known instead of learnt: holds a batch while waiting for one more
 * costs those that wait less than a newcomer waits on average, and gives up the first one when the whole queue
 * would be too late.
 */
export function cork(): FifoRule {
  const tickMs = 1;
  const recentMs: number[] = [];
  const isHeld = ({ rows, model, newestAgeMs }: QueueView): boolean => {
    const meanMs = recentMs.reduce((sum, ms) => sum + ms, 0) / Math.max(1, recentMs.length);
    return rows < model.rowsMax && rows * (newestAgeMs + tickMs + model.perRowMs) <= 0.95 * meanMs;
  };
  return {
    admits: () => true,
    dropsFirst: ({ rows, headAgeMs, model }) =>
      rows > 1 && headAgeMs + meanRunMs(model, rows) >= model.sloMs,
    rowsToRun: (queue) => (isHeld(queue) ? 0 : fullOrAll(queue)),
    waitMs: () => tickMs,
    left: (_, meanQueueMs) => {
      recentMs.push(meanQueueMs);
      if (recentMs.length > 50) recentMs.shift();
    },
  };
}

function fullOrAll({ rows, model }: QueueView): number {
  return Math.min(rows, model.rowsMax);
}

/** Time until a request that comes now would be answered. */
function predictedMs({ rows, runningMs, model }: QueueView): number {
  const batches = Math.floor(rows / model.rowsMax);
  const last = (rows % model.rowsMax) + 1;
  return runningMs + batches * meanRunMs(model, model.rowsMax) + meanRunMs(model, last);
}

function hasRoom({ rows }: QueueView): boolean {
  return rows < QUEUE_MAX;
}

function never(): boolean {
  return false;
}
