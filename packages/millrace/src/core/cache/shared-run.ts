import { Cancellation } from "../cancellation.ts";
import type { Clock } from "../clock.ts";
import { MillraceError } from "../errors.ts";

/** Somebody who waits, as long as that makes sense. */
export interface Waiter {
  /** Cancelled when the client has gone. */
  readonly cancellation: Cancellation | undefined;
  /** On `clock.nowMs`. */
  readonly deadlineAtMs: number;
}

interface Waiting<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
  unwatch: (() => void) | undefined;
  stopTimer: (() => void) | undefined;
}

type State<T> =
  | { readonly kind: "running" }
  /** Everybody has left; what it comes to is nobody's. */
  | { readonly kind: "abandoned" }
  | { readonly kind: "done"; readonly value: T }
  | { readonly kind: "failed"; readonly error: unknown };

/**
 * Work that several wait for. Each leaves by itself, when its client goes or its deadline passes, and harms nobody
 * else; when the last one has left, the work is cancelled.
 */
export class SharedRun<T> {
  /** For the work. */
  readonly cancellation = new Cancellation();
  readonly #clock: Clock;
  readonly #waiting = new Set<Waiting<T>>();
  #state: State<T> = { kind: "running" };

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Takes what the work comes to. Call it once, when the first one waits. */
  start(work: Promise<T>): void {
    work.then(
      (value) => this.#end({ kind: "done", value }),
      (error: unknown) => this.#end({ kind: "failed", error }),
    );
  }

  /** May somebody else wait for it? */
  get isRunning(): boolean {
    return this.#state.kind === "running";
  }

  get waiterCount(): number {
    return this.#waiting.size;
  }

  /**
   * Waits for the outcome.
   * @param waiter whose deadline may be Infinity, for one whose work minds it.
   * @throws what the work threw; the reason of the waiter's cancellation; DEADLINE_EXCEEDED.
   */
  wait({ cancellation, deadlineAtMs }: Waiter): Promise<T> {
    const state = this.#state;
    if (state.kind === "done") return Promise.resolve(state.value);
    return new Promise<T>((resolve, reject) => {
      const waiting: Waiting<T> = { resolve, reject, unwatch: undefined, stopTimer: undefined };
      this.#waiting.add(waiting);
      if (state.kind !== "running") {
        this.#leave(waiting, state.kind === "failed" ? state.error : abandoned());
      } else if (cancellation?.isCancelled === true) {
        this.#leave(waiting, cancellation.reason);
      } else {
        waiting.unwatch = cancellation?.watch(() => this.#leave(waiting, cancellation.reason));
        if (deadlineAtMs === Infinity) return;
        const leftMs = deadlineAtMs - this.#clock.nowMs();
        waiting.stopTimer = this.#clock.schedule(leftMs, () => this.#leave(waiting, tooLate()));
      }
    });
  }

  #leave(waiting: Waiting<T>, reason: unknown): void {
    if (!this.#waiting.delete(waiting)) return;
    stop(waiting);
    waiting.reject(reason);
    if (this.#waiting.size > 0 || this.#state.kind !== "running") return;
    this.#state = { kind: "abandoned" };
    this.cancellation.cancel(reason);
  }

  #end(state: Extract<State<T>, { kind: "done" | "failed" }>): void {
    if (this.#state.kind !== "running") return;
    this.#state = state;
    for (const waiting of this.#waiting) {
      stop(waiting);
      if (state.kind === "done") waiting.resolve(state.value);
      else waiting.reject(state.error);
    }
    this.#waiting.clear();
  }
}

function stop<T>({ unwatch, stopTimer }: Waiting<T>): void {
  unwatch?.();
  stopTimer?.();
}

function abandoned(): MillraceError {
  return MillraceError.withoutStack(
    "CANCELLED",
    "Cannot predict: nobody waited for it any more when this one came",
  );
}

function tooLate(): MillraceError {
  return MillraceError.withoutStack(
    "DEADLINE_EXCEEDED",
    "Cannot predict: the deadline passed while another request made the same prediction",
  );
}

/**
 * Is an error of the one that ran for the others alone? Its client went, its time was over, or would have been: the
 * others have a client and a time of their own.
 */
export function isOwnFailure(error: unknown): boolean {
  if (!(error instanceof MillraceError)) return false;
  const { code, reason } = error;
  if (code === "OVERLOADED") return reason === "predicted_deadline";
  return code === "CANCELLED" || code === "DEADLINE_EXCEEDED";
}
