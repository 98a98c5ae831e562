import type { Step, StepContext } from "../core/graph/step.ts";
import type { StepOutcome } from "../core/graph/step-outcome.ts";
import { ERRORS, MillraceError } from "../core/errors.ts";
import type { Tensor, TensorSpec } from "../core/tensor/tensor.ts";

/**
 * Runs a step again when it failed for a reason that may pass, at once and within the deadline. What was refused for
 * overload is not tried again: that would be more of what is too much.
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

  /** @param retries runs after the first one, at least 1. */
  constructor(step: Step, retries: number) {
    this.name = step.name;
    this.kind = step.kind;
    this.inputs = step.inputs;
    this.outputs = step.outputs;
    this.prediction = step.prediction;
    this.labels = step.labels;
    this.score = step.score;
    this.#step = step;
    this.#retries = retries;
  }

  async run(inputs: readonly Tensor[], context: StepContext): Promise<StepOutcome> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#step.run(inputs, context);
      } catch (error) {
        const isOver = context.clock.nowMs() >= context.deadlineAtMs;
        const isGone = context.cancellation?.isCancelled === true;
        if (attempt > this.#retries || isOver || isGone || !mayPass(error)) throw error;
        context.trace.note("retries", attempt);
      }
    }
  }
}

function mayPass(error: unknown): boolean {
  if (!(error instanceof MillraceError)) return false;
  const isTooMuch = error.code === "OVERLOADED" || error.code === "DEADLINE_EXCEEDED";
  const isLasting = error.reason !== undefined && LASTING_REASONS.has(error.reason);
  return ERRORS[error.code].retryable && !isTooMuch && !isLasting;
}

/** Of REMOTE_FAILED: the other server would say the same again. */
const LASTING_REASONS: ReadonlySet<string> = new Set(["refused", "redirect", "mismatch"]);
