import type { MillraceClientError } from "./client-error.ts";

/** When a failed attempt is made again. Only 429, 503 and a connection that broke before a response are. */
export interface RetryOptions {
  /** Attempts after the first. Default 2; 0 switches retries off. */
  readonly max?: number;
  /** Retries earned per request. Default 0.1: in an outage a client adds at most 10 % load. */
  readonly budgetRatio?: number;
  /** Retries a new client has, and the most it can save up. Default 10. */
  readonly budgetMax?: number;
  /** The first retry waits 0 to this many milliseconds, each further one up to twice as long. Default 50. */
  readonly backoffMs?: number;
  /** Upper end of that wait, in milliseconds. Default 1000. */
  readonly backoffMsMax?: number;
  /** Longest `Retry-After` that is waited for, in milliseconds; a longer one is thrown at once. Default 5000. */
  readonly retryAfterMsMax?: number;
}

/** Decides about retries for all calls of one client; holds the budget they share. */
export class RetryPolicy {
  readonly #options: Required<RetryOptions>;
  readonly #random: () => number;
  /** Retries left, 0 to `budgetMax`. */
  #tokens: number;

  constructor(options: RetryOptions, random: () => number) {
    this.#options = {
      max: options.max ?? 2,
      budgetRatio: options.budgetRatio ?? 0.1,
      budgetMax: options.budgetMax ?? 10,
      backoffMs: options.backoffMs ?? 50,
      backoffMsMax: options.backoffMsMax ?? 1000,
      retryAfterMsMax: options.retryAfterMsMax ?? 5000,
    };
    this.#random = random;
    this.#tokens = this.#options.budgetMax;
  }

  /** A request, not a retry, is about to be sent: it earns its share of a retry. */
  onRequest(): void {
    this.#tokens = Math.min(this.#options.budgetMax, this.#tokens + this.#options.budgetRatio);
  }

  /**
   * Takes one retry from the budget.
   * @param retryCount retries made for this call so far.
   * @returns milliseconds to wait before it, below `remainingMs`; undefined when `error` is final.
   */
  takeRetry(
    error: MillraceClientError,
    retryCount: number,
    remainingMs: number,
  ): number | undefined {
    const { max, backoffMs, backoffMsMax, retryAfterMsMax } = this.#options;
    if (!isRetryable(error) || retryCount >= max || this.#tokens < 1) return undefined;
    const retryAfterMs = (error.retryAfterSeconds ?? 0) * 1000;
    if (retryAfterMs > retryAfterMsMax) return undefined;
    // Full jitter, on top of the server's wish: clients that failed together do not come back together.
    const delayMs =
      retryAfterMs + this.#random() * Math.min(backoffMsMax, backoffMs * 2 ** retryCount);
    if (delayMs >= remainingMs) return undefined;
    this.#tokens -= 1;
    return delayMs;
  }
}

function isRetryable({ status, code }: MillraceClientError): boolean {
  return status === undefined ? code === "CONNECTION_FAILED" : status === 429 || status === 503;
}
