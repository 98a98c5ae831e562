import type { LatencyModel } from "./latency-model.ts";

/** A batch twice as large must give at least this much more throughput to be worth its latency. */
const GAIN_OF_DOUBLING = 1.05;

/** What the cap becomes after a run that took too long, and the clean runs after which it grows by one row again. */
const SHRINK = 0.9;
const CLEAN_RUNS = 100;

/** Runs between two looks at the curve. */
const RECONSIDER_EVERY = 16;

/**
 * Of so many runs one has another size, twice and half as large by turns, so that what was measured in a bad moment
 * is measured again.
 */
const PROBE_EVERY = 32;

export interface BatchCapOptions {
  /** Most rows the configuration allows, at least 1. */
  readonly rowsMax: number;
  /** Longest time a run should take; Infinity bounds the batch by its gain only. */
  readonly runMsMax: number;
}

/**
 * How many rows a batch should have at most: the largest size up to which doubling gains at least 5 % throughput
 * each time, whose run takes at most `runMsMax`. A guard below it follows what runs really take: 0.9 of the size
 * after one that took longer, one row more after 100 that did not. One run in 32 may be twice as large as is best, or is
 * half as large.
 */
export class BatchCap {
  readonly #options: BatchCapOptions;
  readonly #model: LatencyModel;
  #best: number;
  #guard: number;
  #cleanRuns = 0;
  #sinceReconsidered = 0;
  #runCount = 0;

  constructor(model: LatencyModel, options: BatchCapOptions) {
    this.#model = model;
    this.#options = options;
    this.#best = options.rowsMax;
    this.#guard = options.rowsMax;
    this.reconsider();
  }

  /** Rows, at least 1. */
  get rows(): number {
    const probe = this.#runCount % (2 * PROBE_EVERY);
    let size = this.#best;
    if (probe === PROBE_EVERY) size = Math.min(2 * size, this.#options.rowsMax);
    else if (probe === 2 * PROBE_EVERY - 1) size /= 2;
    return Math.max(1, Math.floor(Math.min(size, this.#guard)));
  }

  /** Call after `model` has learnt of the run. */
  observe(rows: number, tookMs: number): void {
    this.#watch(rows, tookMs);
    this.#runCount++;
    this.#sinceReconsidered++;
    if (this.#sinceReconsidered >= RECONSIDER_EVERY) this.reconsider();
  }

  /** Looks at the whole curve again. */
  reconsider(): void {
    this.#sinceReconsidered = 0;
    if (this.#model.sampleCount === 0) return;
    const { rowsMax, runMsMax } = this.#options;
    let best = 1;
    let doublings = 0;
    for (let rows = 2; ; rows *= 2) {
      const size = Math.min(rows, rowsMax);
      if (size <= best || this.#model.expectMs(size) > runMsMax) break;
      doublings++;
      const gain = this.#rowsPerMs(size) / this.#rowsPerMs(best);
      // A step in the curve may hide the gain of one doubling; the next ones are measured from the last good size.
      if (gain >= GAIN_OF_DOUBLING ** doublings) {
        best = size;
        doublings = 0;
      }
      if (size === rowsMax) break;
    }
    this.#best = best;
  }

  #rowsPerMs(rows: number): number {
    return rows / this.#model.expectMs(rows);
  }

  #watch(rows: number, tookMs: number): void {
    const { runMsMax, rowsMax } = this.#options;
    if (tookMs > runMsMax && rows > 1) {
      this.#guard = Math.max(1, Math.min(this.#guard, rows) * SHRINK);
      this.#cleanRuns = 0;
      return;
    }
    this.#cleanRuns++;
    if (this.#cleanRuns < CLEAN_RUNS) return;
    this.#cleanRuns = 0;
    this.#guard = Math.min(rowsMax, this.#guard + 1);
  }
}
