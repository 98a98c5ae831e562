import type { Clock } from "../../core/clock.ts";
import { MillraceError } from "../../core/errors.ts";
import type { Tensor } from "../../core/tensor/tensor.ts";
import type { Logger } from "../../ports/logger.ts";
import { FunctionCall, type CallRequest } from "./function-call.ts";
import type { FunctionThread } from "./function-thread.ts";
import type { FunctionKind } from "./thread-messages.ts";
import { ThreadSlot } from "./thread-slot.ts";

export interface FunctionPoolOptions {
  readonly kind: FunctionKind;
  readonly clock: Clock;
  readonly log: Logger;
  /** Stand with every line of the log. */
  readonly fields: object;
  /** A call that takes longer is ended with its thread. */
  readonly timeoutMs: number;
  /** Calls that wait for a thread; one more is refused. */
  readonly queue: number;
  /** Starts a thread of the same file. */
  readonly start: () => Promise<FunctionThread>;
}

/** Seconds after which a call that was refused may find a place. */
const RETRY_AFTER_SECONDS = 1;

/** The threads of one function. Each makes one call at a time; calls wait for a free thread in the order they came. */
export class FunctionPool {
  readonly #options: FunctionPoolOptions;
  readonly #slots: readonly ThreadSlot[];
  readonly #waiting = new Set<FunctionCall>();
  #lastId = 0;
  #isClosed = false;

  /** @param threads started already, at least one. */
  constructor(threads: readonly FunctionThread[], options: FunctionPoolOptions) {
    this.#options = options;
    const onFree = (): void => this.#dispatch();
    this.#slots = threads.map((thread) => new ThreadSlot({ ...options, onFree }, thread));
  }

  /**
   * @returns one tensor per output of the function, in their order.
   * @throws FUNCTION_FAILED, INVALID_TENSOR, DATA_NOT_FOUND as the function fails; OVERLOADED, EXECUTOR_LOST when no
   * thread can make the call in time; DEADLINE_EXCEEDED; the reason of the cancellation.
   */
  async run(request: CallRequest): Promise<readonly Tensor[]> {
    request.context?.cancellation?.throwIfCancelled();
    const call = new FunctionCall(++this.#lastId, request);
    this.#refuse(call);
    call.watch(() => {
      if (!this.#waiting.delete(call)) for (const slot of this.#slots) slot.abort(call);
    });
    this.#waiting.add(call);
    this.#dispatch();
    return call.answered;
  }

  /** Refuses calls that wait and new ones, waits for those under way, ends the threads. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const call of this.#waiting) call.fail(closed());
    this.#waiting.clear();
    await Promise.all(this.#slots.map((slot) => slot.close()));
  }

  #refuse(call: FunctionCall): void {
    if (this.#isClosed) throw closed();
    if (this.#slots.some(({ isFree }) => isFree)) return;
    const { queue, clock } = this.#options;
    if (this.#waiting.size >= queue) {
      throw MillraceError.withoutStack(
        "OVERLOADED",
        `Cannot predict: ${this.#waiting.size} calls wait for a thread of the function, the limit is ${queue}`,
        { reason: "queue", retryAfterSeconds: RETRY_AFTER_SECONDS },
      );
    }
    const backAtMs = Math.min(...this.#slots.map((slot) => slot.backAtMs));
    if (backAtMs < call.deadlineAtMs) return;
    const waitMs = Math.max(0, Math.round(backAtMs - clock.nowMs()));
    throw MillraceError.withoutStack(
      "EXECUTOR_LOST",
      `Cannot predict: the threads of the function keep ending, the next one starts in ${waitMs} ms`,
      { reason: "crash", retryAfterSeconds: Math.ceil(waitMs / 1000) },
    );
  }

  #dispatch(): void {
    for (const call of this.#waiting) {
      const slot = this.#slots.find(({ isFree }) => isFree);
      if (slot === undefined) return;
      this.#waiting.delete(call);
      slot.run(call);
    }
  }
}

function closed(): MillraceError {
  return MillraceError.withoutStack("MODEL_NOT_READY", "Cannot predict: the function is closed");
}
