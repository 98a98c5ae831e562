import { Cancellation } from "../../core/cancellation.ts";
import { MillraceError } from "../../core/errors.ts";
import type { StepContext } from "../../core/graph/step.ts";

/** Tells what works for one run that its outputs are of no use any more: the client has gone, or it is too late. */
export class RunEnd {
  readonly cancellation = new Cancellation();
  readonly #unwatch: () => void;
  readonly #stopTimer: () => void;

  /** To be closed when the run is over. */
  constructor({ clock, deadlineAtMs, cancellation }: StepContext) {
    const own = this.cancellation;
    if (cancellation?.isCancelled === true) own.cancel(cancellation.reason);
    this.#unwatch = cancellation?.watch(() => own.cancel(cancellation.reason)) ?? nothing;
    this.#stopTimer =
      deadlineAtMs === Infinity
        ? nothing
        : clock.schedule(deadlineAtMs - clock.nowMs(), () => own.cancel(tooLate()));
  }

  /** Settles as `work` does, or at once when the run ends. */
  orEarlier<T>(work: Promise<T>): Promise<T> {
    const { cancellation } = this;
    return new Promise((resolve, reject) => {
      const unwatch = cancellation.watch(() => reject(cancellation.reason as Error));
      work.finally(unwatch).then(resolve, reject);
    });
  }

  close(): void {
    this.#unwatch();
    this.#stopTimer();
  }
}

function nothing(): void {}

function tooLate(): MillraceError {
  return MillraceError.withoutStack(
    "DEADLINE_EXCEEDED",
    "Cannot decode the image: the deadline has passed",
  );
}
