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
  /** Batches put together and taken apart; the protocol has no word for the hand-over to a thread. */
  readonly computeInput: Duration;
  readonly compute: Duration;
  readonly computeOutput: Duration;
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
    computeInput: zero(),
    compute: zero(),
    computeOutput: zero(),
    batches: new Map(),
  };
}

export interface RequestRecord {
  readonly wallMs: number;
  readonly rows: number;
  readonly queueMs: number;
  /** Putting the batch together and taking it apart, the hand-over to a thread included. */
  readonly batchMs: number;
  readonly computeMs: number;
}

export function countRequest(statistics: Statistics, request: RequestRecord): void {
  const { queueMs, batchMs, computeMs } = request;
  statistics.lastInferenceMs = request.wallMs;
  statistics.inferenceCount += request.rows;
  add(statistics.success, queueMs + batchMs + computeMs);
  add(statistics.queue, queueMs);
  add(statistics.computeInput, batchMs);
  add(statistics.compute, computeMs);
  add(statistics.computeOutput, 0);
}

/** @param rows of one run of the model. */
export function countRun(statistics: Statistics, rows: number, computeMs: number): void {
  statistics.executionCount++;
  let batch = statistics.batches.get(rows);
  if (batch === undefined && statistics.batches.size < BATCH_SIZES_MAX) {
    batch = { count: 0, ns: 0 };
    statistics.batches.set(rows, batch);
  }
  if (batch !== undefined) add(batch, computeMs);
}

export function countFailure(statistics: Statistics, totalMs: number): void {
  add(statistics.fail, totalMs);
}

function add(duration: Duration, ms: number): void {
  duration.count++;
  duration.ns += Math.round(ms * 1e6);
}
