/** Count and total of one kind of duration; cumulative, so that two readings give an average between them. */
export interface Duration {
  count: number;
  ns: number;
}

/** Counters of one model version, as the Open Inference Protocol's statistics extension defines them. */
export interface Statistics {
  /** Milliseconds since 1970; 0 before the first. */
  lastInferenceMs: number;
  /** Rows predicted: a request of 64 rows adds 64. */
  inferenceCount: number;
  /** Runs of the model. */
  executionCount: number;
  readonly success: Duration;
  readonly fail: Duration;
  readonly queue: Duration;
  readonly compute: Duration;
  /** Compute time by rows per run; at most `BATCH_SIZES_MAX` sizes, the rest are counted only in `compute`. */
  readonly batches: Map<number, Duration>;
}

/** Distinct batch sizes that are counted apart. */
const BATCH_SIZES_MAX = 256;

export function emptyStatistics(): Statistics {
  const zero = (): Duration => ({ count: 0, ns: 0 });
  return {
    lastInferenceMs: 0,
    inferenceCount: 0,
    executionCount: 0,
    success: zero(),
    fail: zero(),
    queue: zero(),
    compute: zero(),
    batches: new Map(),
  };
}

export interface RunRecord {
  readonly wallMs: number;
  readonly rows: number;
  readonly queueMs: number;
  readonly computeMs: number;
}

export function countSuccess(statistics: Statistics, run: RunRecord): void {
  statistics.lastInferenceMs = run.wallMs;
  statistics.inferenceCount += run.rows;
  statistics.executionCount++;
  add(statistics.success, run.queueMs + run.computeMs);
  add(statistics.queue, run.queueMs);
  add(statistics.compute, run.computeMs);
  let batch = statistics.batches.get(run.rows);
  if (batch === undefined && statistics.batches.size < BATCH_SIZES_MAX) {
    batch = { count: 0, ns: 0 };
    statistics.batches.set(run.rows, batch);
  }
  if (batch !== undefined) add(batch, run.computeMs);
}

export function countFailure(statistics: Statistics, totalMs: number): void {
  add(statistics.fail, totalMs);
}

function add(duration: Duration, ms: number): void {
  duration.count++;
  duration.ns += Math.round(ms * 1e6);
}
