import { Cancellation } from "../../core/cancellation.ts";
import type { Clock } from "../../core/clock.ts";
import { MillraceError } from "../../core/errors.ts";

export interface HedgedCallOptions<T> {
  readonly clock: Clock;
  /** How long the first call has to itself, in milliseconds. */
  readonly afterMs: number;
  /** Of the request: ends both. */
  readonly cancellation: Cancellation | undefined;
  readonly first: (cancellation: Cancellation) => Promise<T>;
  /** Begins the second call; undefined when there shall be none. */
  readonly second: (cancellation: Cancellation) => Promise<T> | undefined;
}

/**
 * Makes a call, and a second one when the first takes long. The first good answer counts, and the other call is
 * cancelled. A first call that fails before the second one began has failed: that is a matter for retries.
 * @throws what the first call threw when none gives an answer; the reason of the cancellation.
 */
export function hedgedCall<T>(options: HedgedCallOptions<T>): Promise<T> {
  return new HedgedCall(options).result;
}

class HedgedCall<T> {
  readonly result: Promise<T>;
  readonly #resolve: (value: T) => void;
  readonly #reject: (reason: unknown) => void;
  /** Of each call that is under way. */
  readonly #running = new Set<Cancellation>();
  readonly #stopTimer: () => void;
  readonly #unwatch: (() => void) | undefined;
  #firstError: unknown;

  constructor(options: HedgedCallOptions<T>) {
    const { clock, afterMs, cancellation, first } = options;
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.result = promise;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#unwatch = cancellation?.watch(() => this.#cancelAll(cancellation.reason));
    this.#stopTimer = clock.schedule(afterMs, () => this.#start(options.second));
    this.#start(first);
  }

  #start(begin: (cancellation: Cancellation) => Promise<T> | undefined): void {
    const cancellation = new Cancellation();
    const call = begin(cancellation);
    if (call === undefined) return;
    this.#running.add(cancellation);
    call.then(
      (value) => this.#succeeded(value, cancellation),
      (error: unknown) => this.#failed(error, cancellation),
    );
  }

  #succeeded(value: T, own: Cancellation): void {
    this.#running.delete(own);
    this.#end();
    this.#resolve(value);
    this.#cancelAll(tooSlow());
  }

  #failed(error: unknown, own: Cancellation): void {
    this.#running.delete(own);
    this.#firstError ??= error;
    if (this.#running.size > 0) return;
    this.#end();
    this.#reject(this.#firstError);
  }

  #end(): void {
    this.#stopTimer();
    this.#unwatch?.();
  }

  #cancelAll(reason: unknown): void {
    for (const cancellation of this.#running) cancellation.cancel(reason);
  }
}

/** Nobody sees it but the call that lost. */
function tooSlow(): MillraceError {
  const message = "Cannot predict: another server was quicker";
  return MillraceError.withoutStack("CANCELLED", message);
}
