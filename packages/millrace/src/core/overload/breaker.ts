import type { Clock } from "../clock.ts";

export interface BreakerOptions {
  readonly clock: Clock;
  /** Numbers in [0, 1); spreads the ends of open times, so that processes do not probe in step. */
  readonly random: () => number;
  /**
   * Calls longer than this count as slow, and at half of them it opens: twice the latency objective. Undefined
   * looks at failures only.
   */
  readonly slowMs?: number | undefined;
  /** Told after each change of state, for the log. */
  readonly onTransition?: (from: BreakerKind, to: BreakerKind) => void;
}

export type BreakerKind = "closed" | "open" | "halfOpen";

/**
 * What a call came to. `failed` is for infrastructure alone: the runtime threw, the executor was lost, time ran out
 * inside it. A wrong request, a client that left and our own refusals are `ignored`.
 */
export type CallOutcome = "ok" | "failed" | "ignored";

/** Leave for one call; hand it to `record` with the outcome. The same object for all calls of one state. */
export interface BreakerPermit {
  readonly kind: "permit";
}

export interface BreakerRefusal {
  readonly kind: "refused";
  /** Until the next probe may be let through, above 0. */
  readonly retryAfterMs: number;
}

/** The breaker's window: `WINDOW_MS` in so many buckets. */
const WINDOW_MS = 10_000;
const BUCKETS = 10;
const BUCKET_MS = WINDOW_MS / BUCKETS;

/** Fewer calls than this in the window say nothing. */
const CALLS_MIN = 20;

/** Share of failed, or of slow calls in the window, at which it opens. */
const OPEN_SHARE = 0.5;

/** First open time; it doubles with every failed attempt to close, up to the second, and varies by the third. */
const OPEN_MS = 5_000;
const OPEN_MS_MAX = 60_000;
const JITTER = 0.2;

/** Calls let through half open, and the share of them that must be good to close. */
const PROBES = 5;
const PROBES_GOOD_SHARE = 0.8;

/** Told to callers while all probes are under way. */
const PROBE_WAIT_MS = 1_000;

interface Bucket {
  /** Number of the bucket since the clock began; what carries another number is old and counts as empty. */
  index: number;
  calls: number;
  failed: number;
  slow: number;
}

type State =
  | { readonly kind: "closed"; readonly permit: BreakerPermit; readonly buckets: readonly Bucket[] }
  | { readonly kind: "open"; readonly openMs: number; readonly untilMs: number }
  | {
      readonly kind: "halfOpen";
      readonly permit: BreakerPermit;
      readonly openMs: number;
      /** Probes that have not ended by then have failed. */
      readonly untilMs: number;
      started: number;
      good: number;
      bad: number;
    };

/**
 * Circuit breaker of one model version: stops calling what keeps failing, and tries it again with a few calls.
 *
 * - **closed**: every call passes. Calls are counted in a window of 10 s, in 10 buckets; at 20 calls or more with 50 %
 *   failed, or slow if `slowMs` is given, it opens.
 * - **open**: no call passes, for 5 s ± 20 %.
 * - **halfOpen**: 5 calls pass as probes. When 4 were good it closes; when 2 were bad (or the probes are not back in
 *   the time it was open before) it opens again for twice as long, at most 60 s.
 *
 * A permit belongs to the state in which it was given. A call that ends after the state has changed counts for
 * nothing: late failures of before cannot fail the probes. The figures are those of resilience4j and opossum, with
 * the minimum of calls that opossum lacks (its first failure after a quiet time opens).
 */
export class Breaker {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #onTransition: ((from: BreakerKind, to: BreakerKind) => void) | undefined;
  #slowMs: number;
  #state: State;

  constructor(options: BreakerOptions) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.#onTransition = options.onTransition;
    this.#slowMs = options.slowMs ?? Infinity;
    this.#state = newClosed();
  }

  /** For the metric; an open time that is over shows as `open` until a call probes. */
  get state(): BreakerKind {
    return this.#state.kind;
  }

  setSlowMs(slowMs: number | undefined): void {
    this.#slowMs = slowMs ?? Infinity;
  }

  /** Leave to call. Allocates nothing while closed. */
  tryAcquire(): BreakerPermit | BreakerRefusal {
    const state = this.#state;
    if (state.kind === "closed") return state.permit;
    const nowMs = this.#clock.nowMs();
    if (state.kind === "open") {
      if (nowMs < state.untilMs) return { kind: "refused", retryAfterMs: state.untilMs - nowMs };
      return this.#halfOpen(state.openMs, nowMs);
    }
    if (state.started < PROBES) {
      state.started++;
      return state.permit;
    }
    if (nowMs < state.untilMs) {
      const retryAfterMs = Math.min(PROBE_WAIT_MS, state.untilMs - nowMs);
      return { kind: "refused", retryAfterMs };
    }
    const openMs = this.#open(2 * state.openMs, nowMs);
    return { kind: "refused", retryAfterMs: openMs };
  }

  /** Counts a call. Every permit is recorded once. @param tookMs of the call alone, without waiting for it. */
  record(permit: BreakerPermit, outcome: CallOutcome, tookMs: number): void {
    const state = this.#state;
    if (state.kind === "open" || state.permit !== permit) return;
    const isSlow = tookMs > this.#slowMs;
    if (state.kind === "halfOpen") this.#recordProbe(state, outcome, isSlow);
    else if (outcome !== "ignored") this.#recordCall(state.buckets, outcome === "failed", isSlow);
  }

  #recordCall(buckets: readonly Bucket[], isFailed: boolean, isSlow: boolean): void {
    const nowMs = this.#clock.nowMs();
    const index = Math.floor(nowMs / BUCKET_MS);
    const bucket = buckets[index % BUCKETS]!; // as many as BUCKETS, and a clock is not negative
    if (bucket.index !== index) Object.assign(bucket, newBucket(index));
    bucket.calls++;
    if (isFailed) bucket.failed++;
    if (isSlow) bucket.slow++;
    if ((isFailed || isSlow) && isTooBad(buckets, index)) this.#open(OPEN_MS, nowMs);
  }

  #recordProbe(
    state: Extract<State, { kind: "halfOpen" }>,
    outcome: CallOutcome,
    isSlow: boolean,
  ): void {
    if (outcome === "ignored") {
      state.started--;
    } else if (outcome === "failed" || isSlow) {
      state.bad++;
      if (state.bad > PROBES * (1 - PROBES_GOOD_SHARE) + ROUNDING) {
        this.#open(2 * state.openMs, this.#clock.nowMs());
      }
    } else {
      state.good++;
      if (state.good >= PROBES * PROBES_GOOD_SHARE) this.#enter(newClosed());
    }
  }

  #halfOpen(openMs: number, nowMs: number): BreakerPermit {
    const permit: BreakerPermit = { kind: "permit" };
    const untilMs = nowMs + openMs;
    this.#enter({ kind: "halfOpen", permit, openMs, untilMs, started: 1, good: 0, bad: 0 });
    return permit;
  }

  /** @returns for how long it stays open. */
  #open(openMs: number, nowMs: number): number {
    const nominalMs = Math.min(OPEN_MS_MAX, openMs);
    const jitteredMs = nominalMs * (1 + JITTER * (2 * this.#random() - 1));
    this.#enter({ kind: "open", openMs: nominalMs, untilMs: nowMs + jitteredMs });
    return jitteredMs;
  }

  #enter(next: State): void {
    const from = this.#state.kind;
    this.#state = next;
    this.#onTransition?.(from, next.kind);
  }
}

/** 5 × (1 − 0.8) is not quite 1 in binary. */
const ROUNDING = 1e-9;

function newClosed(): State {
  const buckets = Array.from({ length: BUCKETS }, () => newBucket(-1));
  return { kind: "closed", permit: { kind: "permit" }, buckets };
}

function newBucket(index: number): Bucket {
  return { index, calls: 0, failed: 0, slow: 0 };
}

function isTooBad(buckets: readonly Bucket[], newestIndex: number): boolean {
  let calls = 0;
  let failed = 0;
  let slow = 0;
  for (const bucket of buckets) {
    if (bucket.index <= newestIndex - BUCKETS) continue;
    calls += bucket.calls;
    failed += bucket.failed;
    slow += bucket.slow;
  }
  return calls >= CALLS_MIN && Math.max(failed, slow) >= OPEN_SHARE * calls;
}
