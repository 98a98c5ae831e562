/** Options of `GradientLimit`; every one has a default. */
export interface GradientLimitOptions {
  /**
   * Latency in milliseconds that 99 % of the answers are to keep. The limit shrinks only while more than 1 % of a
   * window is later, and aims at `TARGET_SHARE` of it. Absent, the reference is learned: `TOLERANCE` × the long-run
   * mean. That protects a server whose latency says nothing but "queue"; one that batches needs an objective,
   * since its latency rises with every client while its throughput rises too.
   */
  readonly objectiveMs?: number;
  /** Limit to begin with; default 256, so that a server that is fast enough starts with nothing to learn. */
  readonly limitInitial?: number;
  /** The limit never falls below it; at least 1, the default. */
  readonly limitMin?: number;
  /** The limit never rises above it; default 10,000. */
  readonly limitMax?: number;
}

/** Share of the objective at which the limit is held: the rest is for the spread between mean and p99. */
export const TARGET_SHARE = 0.75;

/** Answers of a window that may be later than the objective before the limit shrinks. */
const LATE_SHARE_MAX = 0.01;

/** A window lasts at least so long and has at least so many answers: a batch of 64 is one event, not 64. */
const WINDOW_MS_MIN = 50;
const WINDOW_SAMPLES_MIN = 10;

/** A learned reference is the long-run mean times this. */
const TOLERANCE = 1.5;

/** Weight of the newest window's limit where it grows, and where it follows a learned reference. */
const SMOOTHING = 0.5;

/** Windows of the long-run mean, and of its plain mean at the start. */
const LONG_WINDOWS = 600;
const LONG_WARM_UP = 10;

/** The limit at most halves or doubles from one window to the next, before smoothing. */
const GRADIENT_MIN = 0.5;
const GRADIENT_MAX = 2;

/**
 * Learns how many requests may be in work at a time, from their latency.
 *
 * **Basis.** Gradient2 of Netflix concurrency-limits: L ← (1 − s) · L + s · (L · g + headroom), g = clamp(reference /
 * latency, ½, 1), reference = tolerance × long-run mean, and no change while fewer than L/2 are in flight, since
 * then the limit limits nothing. It compares the present with the past, so a server that is overloaded for long
 * takes the overload for normal; and it takes every rise of latency for a queue, so it throttles a healthy server
 * that batches.
 *
 * **With an objective** (how Millrace uses it) the reference is not the past but what was promised. Three things
 * then differ. (1) Whether to shrink is decided by counting: more than 1 % of the window later than the objective.
 * So a server that keeps its objective is never throttled, whatever shape its latency has. (2) How far is decided by
 * Little's law: min(in flight, L) requests at the measured throughput X take min(in flight, L) / X, and L is set so
 * that this is 0.8 × the objective. Latencies of finished requests tell how it was when they came; shrinking
 * by them goes on long after the limit is right, down to the minimum. (3) It grows only while both, what was
 * measured and what is predicted, are below the target, by up to half per window: from 1 to 256 in under a
 * second.
 *
 * A window lies inside one busy time: when the server becomes empty it starts anew, or pauses would pass for low
 * throughput. A request that just missed a batch takes two, so an objective below twice the fastest answer seen cannot
 * be met by refusing; instead of refusing nearly everybody for nothing, it then counts as three times that answer.
 *
 * O(1) per sample, no allocation, no timer, no clock of its own.
 */
export class GradientLimit {
  readonly #limitMin: number;
  readonly #limitMax: number;
  #objectiveMs: number | undefined;
  #limit: number;
  #fastestMs = Infinity;
  #longMs = 0;
  #longCount = 0;
  #throughputPerMs = 0;

  #windowStartMs = -Infinity;
  #samples = 0;
  #late = 0;
  #latencyMsSum = 0;
  #inFlightMax = 0;

  constructor(options: GradientLimitOptions = {}) {
    this.#limitMin = options.limitMin ?? 1;
    this.#limitMax = options.limitMax ?? 10_000;
    this.#objectiveMs = options.objectiveMs;
    this.#limit = clamp(options.limitInitial ?? 256, this.#limitMin, this.#limitMax);
  }

  /** Requests that may be in work at a time, whole. */
  get limit(): number {
    return Math.floor(this.#limit);
  }

  /** Answers per millisecond while the limit was reached; 0 as long as it never was. */
  get throughputPerMs(): number {
    return this.#throughputPerMs;
  }

  /** Changes the objective from the next window on. */
  setObjectiveMs(objectiveMs: number | undefined): void {
    this.#objectiveMs = objectiveMs;
  }

  /**
   * Takes one answer into account.
   * @param latencyMs from arrival to answer.
   * @param inFlight requests that were in work or waiting when it ended, itself included.
   * @param didDrop it was given up for lack of time: late, whatever its latency.
   * @param nowMs of a monotonic clock.
   */
  record(latencyMs: number, inFlight: number, didDrop: boolean, nowMs: number): void {
    if (this.#samples === 0) {
      this.#windowStartMs = Math.max(this.#windowStartMs, nowMs - latencyMs);
    }
    this.#samples++;
    this.#latencyMsSum += latencyMs;
    this.#inFlightMax = Math.max(this.#inFlightMax, inFlight);
    if (didDrop || latencyMs > this.#effectiveObjectiveMs()) this.#late++;
    if (!didDrop) this.#fastestMs = Math.min(this.#fastestMs, latencyMs);
    const elapsedMs = nowMs - this.#windowStartMs;
    if (this.#samples >= WINDOW_SAMPLES_MIN && elapsedMs >= WINDOW_MS_MIN) {
      this.#endWindow(elapsedMs, nowMs);
    } else if (inFlight <= 1 && this.limit > 1) this.#startWindow(nowMs);
  }

  #effectiveObjectiveMs(): number {
    const objectiveMs = this.#objectiveMs ?? Infinity;
    const isOutOfReach = this.#fastestMs !== Infinity && objectiveMs < 2 * this.#fastestMs;
    return isOutOfReach ? 3 * this.#fastestMs : objectiveMs;
  }

  #endWindow(elapsedMs: number, nowMs: number): void {
    const meanMs = this.#latencyMsSum / this.#samples;
    const longMs = this.#updateLongMs(meanMs);
    if (this.#inFlightMax >= this.limit) this.#throughputPerMs = this.#samples / elapsedMs;
    if (this.#inFlightMax >= this.#limit / 2) {
      const next =
        this.#objectiveMs === undefined
          ? this.#followLongRun(meanMs, longMs)
          : this.#followObjective(meanMs, elapsedMs);
      this.#limit = clamp(next, this.#limitMin, this.#limitMax);
    }
    this.#startWindow(nowMs);
  }

  #startWindow(nowMs: number): void {
    this.#windowStartMs = nowMs;
    this.#samples = 0;
    this.#late = 0;
    this.#latencyMsSum = 0;
    this.#inFlightMax = 0;
  }

  #followLongRun(meanMs: number, longMs: number): number {
    const headroom = Math.max(1, Math.ceil(Math.sqrt(this.#limit)));
    // What was given up for lack of time has no latency to learn from; it is a queue in any case.
    const gradient = this.#late > 0 ? GRADIENT_MIN : longRunGradient(longMs, meanMs, TOLERANCE);
    return nextLimit(this.#limit, gradient, headroom, SMOOTHING);
  }

  #followObjective(meanMs: number, elapsedMs: number): number {
    const targetMs = TARGET_SHARE * this.#effectiveObjectiveMs();
    const inFlight = Math.min(this.#inFlightMax, this.#limit);
    const predictedMs = (inFlight * elapsedMs) / this.#samples;
    const gradient = clamp(targetMs / predictedMs, GRADIENT_MIN, GRADIENT_MAX);
    if (this.#late > LATE_SHARE_MAX * this.#samples) return this.#limit * Math.min(1, gradient);
    if (this.#late > 0 || meanMs >= targetMs || gradient <= 1) return this.#limit;
    return nextLimit(this.#limit, Math.min(gradient, targetMs / meanMs), 0, SMOOTHING);
  }

  /** Mean of the windows: plain for the first ones, exponential after them. */
  #updateLongMs(meanMs: number): number {
    this.#longCount++;
    const weight = this.#longCount <= LONG_WARM_UP ? 1 / this.#longCount : 2 / (LONG_WINDOWS + 1);
    this.#longMs += weight * (meanMs - this.#longMs);
    // Back to normal after a long overload: forget that faster than the mean does.
    if (this.#longMs > 2 * meanMs) this.#longMs *= 0.95;
    return this.#longMs;
  }
}

/** One step of Gradient2: (1 − s) · limit + s · (limit · gradient + headroom). */
export function nextLimit(
  limit: number,
  gradient: number,
  headroom: number,
  smoothing: number,
): number {
  return limit * (1 - smoothing) + (limit * gradient + headroom) * smoothing;
}

/** Gradient2's comparison with the past: clamp(tolerance · long / short, ½, 1). */
export function longRunGradient(longMs: number, shortMs: number, tolerance: number): number {
  return clamp((tolerance * longMs) / shortMs, GRADIENT_MIN, 1);
}

function clamp(value: number, min: number, max: number): number {
  return Math.max(min, Math.min(max, value));
}
