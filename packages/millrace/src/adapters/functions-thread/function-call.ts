import { MillraceError } from "../../core/errors.ts";
import { outgoingContext } from "../../core/graph/outgoing-context.ts";
import type { StepContext } from "../../core/graph/step.ts";
import type { Tensor } from "../../core/tensor/tensor.ts";
import { formatTraceParent } from "../../core/trace-context/trace-context.ts";
import type { CallFacts, TensorGroup } from "./thread-messages.ts";

/** What a call works on, and for whom. */
export interface CallRequest {
  readonly groups: readonly TensorGroup[];
  /** Undefined for a caller that neither goes away nor has a deadline. */
  readonly context: StepContext | undefined;
  readonly rowCount: number;
}

/**
 * One call of a function, from when it is let in until it is answered, which happens once: with what the function gave,
 * or when its deadline passes, its caller leaves or its thread ends.
 */
export class FunctionCall {
  readonly id: number;
  readonly request: CallRequest;
  readonly answered: Promise<readonly Tensor[]>;
  readonly #resolve: (outputs: readonly Tensor[]) => void;
  readonly #reject: (reason: unknown) => void;
  #stopWatch: () => void = () => undefined;
  #stopTimer: () => void = () => undefined;

  constructor(id: number, request: CallRequest) {
    this.id = id;
    this.request = request;
    const { promise, resolve, reject } = Promise.withResolvers<readonly Tensor[]>();
    this.answered = promise;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  get deadlineAtMs(): number {
    return this.request.context?.deadlineAtMs ?? Infinity;
  }

  get facts(): CallFacts {
    const { context, rowCount } = this.request;
    const request = context?.request;
    const trace = context === undefined ? undefined : outgoingContext(context);
    return {
      requestId: request?.requestId,
      predictionId: request?.predictionId ?? "",
      traceparent: trace === undefined ? undefined : formatTraceParent(trace),
      rowCount,
    };
  }

  /** Fails when the caller leaves or its deadline passes, and calls `onGone` then. */
  watch(onGone: () => void): void {
    const { context } = this.request;
    if (context === undefined) return;
    const { clock, deadlineAtMs, cancellation } = context;
    if (cancellation !== undefined) {
      this.#stopWatch = cancellation.watch(() => {
        this.fail(cancellation.reason);
        onGone();
      });
    }
    if (deadlineAtMs === Infinity) return;
    this.#stopTimer = clock.schedule(deadlineAtMs - clock.nowMs(), () => {
      this.fail(tooLate());
      onGone();
    });
  }

  succeed(outputs: readonly Tensor[]): void {
    this.#stop();
    this.#resolve(outputs);
  }

  fail(reason: unknown): void {
    this.#stop();
    this.#reject(reason);
  }

  #stop(): void {
    this.#stopWatch();
    this.#stopTimer();
  }
}

function tooLate(): MillraceError {
  return MillraceError.withoutStack(
    "DEADLINE_EXCEEDED",
    "Cannot predict: the deadline passed before the function had ended",
  );
}
