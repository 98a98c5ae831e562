import type { Cancellation } from "../cancellation.ts";
import type { Clock } from "../clock.ts";
import { MillraceError } from "../errors.ts";
import { ConcurrencyGate, type GateLimits } from "./concurrency-gate.ts";
import { GradientLimit, TARGET_SHARE } from "./gradient-limit.ts";
import { RateLimit, rateText } from "./rate-limit.ts";

/** The limits of one service. Every one may change while it runs. */
export interface AdmissionLimits {
  /** Requests in work at a time; `auto` learns the number from latency, `off` has none. */
  readonly concurrency: number | "auto" | "off";
  /** Requests that wait for a place; one more is refused. With `auto` fewer, as the objective allows. */
  readonly queue: number;
  /** Requests a second of this process (its share, where several processes serve); undefined has no limit. */
  readonly ratePerSecond: number | undefined;
}

export interface AdmissionOptions {
  readonly clock: Clock;
  readonly limits: AdmissionLimits;
  /**
   * Latency in milliseconds that 99 % of the answers are to keep; what `auto` aims at. Where the user set none, half of
   * the service's timeout: an answer on the last moment helps nobody.
   */
  readonly objectiveMs: number;
}

/**
 * Inside at once; inside when the promise resolves (it rejects with DEADLINE_EXCEEDED or the reason of the cancellation, and
 * then there is nothing to release); or refused with OVERLOADED and reason `rate`, `concurrency` or `queue`.
 */
export type AdmissionAnswer = "admitted" | Promise<void> | MillraceError;

/**
 * How a request that was inside ended. `expired`: the time ran out, which counts as late. `ignored`: it says nothing
 * about the server's speed, as a wrong request, a cancelled one, or an answer from a cache.
 */
export type AdmittedOutcome = "done" | "expired" | "ignored";

/** Share of the objective that may pass in the line when the limit is learned; `TARGET_SHARE` is for the work. */
const QUEUE_SHARE = 0.1;

/**
 * Decides for one service who is let in: first the rate, then the places and the line before them. Whoever was let in
 * is released once. Admitting allocates nothing; refusing costs one error without a stack, under a microsecond.
 *
 * With `auto` both the places and the line follow what the server does: places by `GradientLimit`, and a line no
 * longer than what the measured throughput works off in 10 % of the objective (at least √places, so that a small
 * limit has room for chance; more where the places are fewer than the objective allows). Until the limit was reached once there is nothing to measure, and nothing to protect:
 * the line is as long as configured.
 */
export class Admission {
  readonly #clock: Clock;
  readonly #gate: ConcurrencyGate;
  #limits: AdmissionLimits;
  #objectiveMs: number;
  #rate: RateLimit | undefined;
  #learned: GradientLimit | undefined;
  /** What the gate's limits were made from, to make them anew only when that has changed. */
  #appliedLimit = 0;
  #appliedThroughput = 0;

  constructor({ clock, limits, objectiveMs }: AdmissionOptions) {
    this.#clock = clock;
    this.#limits = limits;
    this.#objectiveMs = objectiveMs;
    this.#gate = new ConcurrencyGate(clock, { concurrency: Infinity, queue: 0 });
    this.configure(limits, objectiveMs);
  }

  /** Requests in work. */
  get inside(): number {
    return this.#gate.inside;
  }

  /** Requests that wait for a place. */
  get waiting(): number {
    return this.#gate.waiting;
  }

  /** The limits as they are at this moment, for metrics and for `explain`; Infinity where there is none. */
  get effectiveLimits(): GateLimits {
    return this.#gate.limits;
  }

  /** Why a request would be refused now, without a trace: for front ends that ask before they read a body. */
  get refusalReason(): "concurrency" | "queue" | undefined {
    const { concurrency, queue } = this.#gate.limits;
    if (this.#gate.inside < concurrency || this.#gate.waiting < queue) return undefined;
    return queue === 0 ? "concurrency" : "queue";
  }

  /** @param nowMs of the clock, read once by the caller. */
  admit(nowMs: number, deadlineAtMs: number, cancellation?: Cancellation): AdmissionAnswer {
    const waitMs = this.#rate?.take(nowMs) ?? 0;
    if (waitMs > 0) return this.#refuseByRate(waitMs);
    const answer = this.#gate.enter(deadlineAtMs, cancellation);
    if (answer === "entered") return "admitted";
    return answer === "refused" ? this.#refuseByPlace() : answer;
  }

  /** @param latencyMs from arrival, so that the time in the line counts. */
  release(latencyMs: number, outcome: AdmittedOutcome): void {
    if (this.#learned !== undefined && outcome !== "ignored") {
      const present = this.#gate.inside + this.#gate.waiting;
      this.#learned.record(latencyMs, present, outcome === "expired", this.#clock.nowMs());
      this.#applyLearned(this.#learned);
    }
    this.#gate.leave();
  }

  /** Changes the limits; who is inside or in the line stays, what was learned and what was taken is kept. */
  configure(limits: AdmissionLimits, objectiveMs: number): void {
    this.#limits = limits;
    this.#objectiveMs = objectiveMs;
    this.#configureRate(limits.ratePerSecond);
    if (limits.concurrency === "auto") {
      this.#learned ??= new GradientLimit();
      this.#learned.setObjectiveMs(objectiveMs);
      this.#appliedLimit = 0;
      this.#applyLearned(this.#learned);
    } else {
      this.#learned = undefined;
      const concurrency = limits.concurrency === "off" ? Infinity : limits.concurrency;
      this.#gate.setLimits({ concurrency, queue: limits.queue });
    }
  }

  #configureRate(ratePerSecond: number | undefined): void {
    if (ratePerSecond === undefined) this.#rate = undefined;
    else if (this.#rate === undefined) this.#rate = new RateLimit({ ratePerSecond });
    else this.#rate.configure({ ratePerSecond }, this.#clock.nowMs());
  }

  #applyLearned(learned: GradientLimit): void {
    const { limit, throughputPerMs } = learned;
    if (limit === this.#appliedLimit && throughputPerMs === this.#appliedThroughput) return;
    this.#appliedLimit = limit;
    this.#appliedThroughput = throughputPerMs;
    // As many as are worked off in time wait or work; those that may not work may wait.
    const inTime = throughputPerMs * (TARGET_SHARE + QUEUE_SHARE) * this.#objectiveMs - limit;
    const least = Math.max(throughputPerMs * QUEUE_SHARE * this.#objectiveMs, Math.sqrt(limit));
    const bearable = Math.ceil(Math.max(inTime, least));
    const queue =
      throughputPerMs === 0 ? this.#limits.queue : Math.min(this.#limits.queue, bearable);
    this.#gate.setLimits({ concurrency: limit, queue });
  }

  #refuseByRate(waitMs: number): MillraceError {
    const limit = rateText(this.#limits.ratePerSecond ?? Infinity);
    return refusal("rate", waitMs, `Cannot predict: the rate is at its limit, ${limit}`);
  }

  #refuseByPlace(): MillraceError {
    const { concurrency, queue } = this.#gate.limits;
    const { inside, waiting } = this.#gate;
    const throughputPerMs = this.#learned?.throughputPerMs ?? 0;
    const drainMs = throughputPerMs === 0 ? 0 : (inside + waiting) / throughputPerMs;
    return queue === 0
      ? refusal(
          "concurrency",
          drainMs,
          `Cannot predict: ${inside} requests are in work, the limit is ${concurrency}`,
        )
      : refusal(
          "queue",
          drainMs,
          `Cannot predict: ${waiting} requests are waiting, the limit is ${queue}`,
        );
  }
}

/** Whole seconds, at least 1: what `Retry-After` can say. */
function refusal(reason: string, retryAfterMs: number, message: string): MillraceError {
  const retryAfterSeconds = Math.max(1, Math.ceil(retryAfterMs / 1000));
  return MillraceError.withoutStack("OVERLOADED", message, { reason, retryAfterSeconds });
}
