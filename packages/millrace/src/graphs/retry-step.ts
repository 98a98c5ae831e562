import type { Step, StepContext } from "../core/graph/step.ts";
import type { StepOutcome } from "../core/graph/step-outcome.ts";
import { ERRORS, MillraceError } from "../core/errors.ts";
import { backoffMs } from "../core/overload/backoff.ts";
import type { Tensor, TensorSpec } from "../core/tensor/tensor.ts";

/** What the attempts of one request have in common. */
type TriedContext = StepContext & { readonly tried: Set<string> };

/**
 * Runs a step again when it failed for a reason that may pass, after a short wait by chance, within the deadline and the
 * budget of the service. A step of several servers is then asked of another one. What was refused for overload is not
 * tried again: that would be more of what is too much.
 */
export class RetryStep implements Step {
  readonly name: string;
  readonly kind: string;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly prediction: number | "all";
  readonly labels: readonly string[] | undefined;
  readonly score: number;
  readonly #step: Step;
  readonly #retries: number;
  readonly #random: () => number;

  /**
   * @param retries runs after the first one, at least 1.
   * @param random numbers in [0, 1).
   */
  constructor(step: Step, retries: number, random: () => number) {
    this.name = step.name;
    this.kind = step.kind;
    this.inputs = step.inputs;
    this.outputs = step.outputs;
    this.prediction = step.prediction;
    this.labels = step.labels;
    this.score = step.score;
    this.#step = step;
    this.#retries = retries;
    this.#random = random;
  }

  async run(inputs: readonly Tensor[], context: StepContext): Promise<StepOutcome> {
    const own = { ...context, tried: new Set<string>() };
    try {
      return await this.#step.run(inputs, own);
    } catch (error) {
      return this.#runAgain(inputs, own, error);
    }
  }

  /** @throws the error of the last try. */
  async #runAgain(
    inputs: readonly Tensor[],
    context: TriedContext,
    firstError: unknown,
  ): Promise<StepOutcome> {
    const { budget, trace } = context;
    if (budget === undefined) throw firstError;
    let error = firstError;
    for (let retry = 1; retry <= this.#retries; retry++) {
      const waitMs = backoffMs(retry, this.#random());
      if (!mayPass(error) || !isInTime(context, waitMs)) break;
      if (!budget.tryTake("retry")) {
        trace.note("retryDenied", true);
        break;
      }
      try {
        await wait(waitMs, context);
        trace.note("retries", retry);
        return await this.#step.run(inputs, context);
      } catch (next) {
        error = next;
      } finally {
        budget.giveBack();
      }
    }
    throw error;
  }
}

function mayPass(error: unknown): boolean {
  if (!(error instanceof MillraceError)) return false;
  const isTooMuch = error.code === "OVERLOADED" || error.code === "DEADLINE_EXCEEDED";
  const isLasting = error.reason !== undefined && LASTING_REASONS.has(error.reason);
  return ERRORS[error.code].retryable && !isTooMuch && !isLasting;
}

/** Of REMOTE_FAILED: the other server would say the same again, or has too much to do already. */
const LASTING_REASONS: ReadonlySet<string> = new Set([
  "refused",
  "redirect",
  "mismatch",
  "limited",
]);

/** Will there be time left after the wait, and somebody who waits for the answer? */
function isInTime({ clock, deadlineAtMs, cancellation }: StepContext, waitMs: number): boolean {
  return clock.nowMs() + waitMs < deadlineAtMs && cancellation?.isCancelled !== true;
}

/** @throws the reason of the cancellation. */
async function wait(waitMs: number, { clock, cancellation }: StepContext): Promise<void> {
  if (waitMs <= 0) return;
  await new Promise<void>((resolve, reject) => {
    const unwatch = cancellation?.watch(() => {
      stop();
      reject(cancellation.reason as Error);
    });
    const stop = clock.schedule(waitMs, () => {
      unwatch?.();
      resolve();
    });
  });
}
