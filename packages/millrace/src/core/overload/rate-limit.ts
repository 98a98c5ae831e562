export interface RateLimitOptions {
  /** Requests a second, above 0; may be a fraction. */
  readonly ratePerSecond: number;
  /**
   * Requests that may come at once after a pause, at least 1. Default: what the rate gives in one second, so that
   * whoever keeps to the rate in every second is never refused; a smaller one smooths more and refuses more.
   */
  readonly burst?: number;
}

/**
 * Lets at most `ratePerSecond` requests a second pass, and `burst` at once.
 *
 * It is a token bucket in the form of the generic cell rate algorithm (ITU-T I.371, virtual scheduling): instead of
 * tokens that must be refilled, it knows when the bucket will be full again. A request that passes moves that by 1/rate;
 * one that would move it further than `burst`/rate beyond now is refused. That moment is a product, not a sum, so
 * rounding does not add up, and over any window of t seconds at most rate · t + burst requests pass.
 */
export class RateLimit {
  #intervalMs = 0;
  #burst = 1;
  /** The bucket was full at `#fromMs`; since then `#taken` have passed, without a moment in which it was full again. */
  #fromMs = -Infinity;
  #taken = 0;

  constructor(options: RateLimitOptions) {
    this.#set(options);
  }

  /** @returns 0 when the request may pass and was counted, else the milliseconds until one may, above 0. */
  take(nowMs: number): number {
    if (this.#fullAtMs() <= nowMs) {
      this.#fromMs = nowMs;
      this.#taken = 0;
    }
    const beyondMs = this.#fromMs + (this.#taken + 1 - this.#burst) * this.#intervalMs - nowMs;
    // The tolerance is for rounding: without it who waits exactly as told might be refused.
    if (beyondMs > this.#intervalMs * ROUNDING) return beyondMs;
    this.#taken++;
    return 0;
  }

  /** Changes the limits; requests taken and not paid back yet still count, as many as they were. */
  configure(options: RateLimitOptions, nowMs: number): void {
    const taken = Math.max(0, this.#fullAtMs() - nowMs) / this.#intervalMs;
    this.#set(options);
    this.#fromMs = nowMs;
    this.#taken = Math.min(taken, this.#burst);
  }

  /** When everything taken so far is paid back; in the past when the bucket is full. */
  #fullAtMs(): number {
    return this.#fromMs + this.#taken * this.#intervalMs;
  }

  #set({ ratePerSecond, burst = Math.ceil(ratePerSecond) }: RateLimitOptions): void {
    this.#intervalMs = 1000 / ratePerSecond;
    this.#burst = Math.max(1, burst);
  }
}

/** Share of one request that counts as nothing. */
const ROUNDING = 1e-6;

/** A rate as it is written in the file: in the first unit that makes it a number of at least 1. */
export function rateText(perSecond: number): string {
  const units = [
    { seconds: 1, unit: "s" },
    { seconds: 60, unit: "m" },
    { seconds: 3600, unit: "h" },
  ] as const;
  const fitting = units.find(({ seconds }) => perSecond * seconds >= 1) ?? units[2];
  const rounded = Number((perSecond * fitting.seconds).toFixed(3));
  return `${rounded}/${fitting.unit}`;
}
