import { MillraceError, type ErrorCode } from "../errors.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { StepError } from "./step-error.ts";
import type { StepOutcome } from "./step-outcome.ts";
import type { StepStatus, StepTrace } from "./step-trace.ts";
import type { Step, StepContext } from "./step.ts";

/**
 * Runs a step, unless it is too late or nobody waits any more.
 * @param trace of this step; by default one is begun inside that of the context. For the outermost step of a request
 * it is the one the request began with.
 * @throws what the step threw: a MillraceError as a StepError that names the innermost step, the reason of the
 * cancellation and what is a bug as they are; DEADLINE_EXCEEDED when the deadline had passed before it began.
 */
export async function runStep(
  step: Step,
  inputs: readonly Tensor[],
  context: StepContext,
  trace: StepTrace = context.trace.begin(step.name, step.kind),
): Promise<StepOutcome> {
  try {
    context.cancellation?.throwIfCancelled();
    if (context.clock.nowMs() >= context.deadlineAtMs) throw tooLate();
    const outcome = await step.run(inputs, { ...context, trace });
    trace.end("ok");
    return outcome;
  } catch (error) {
    const isCancelled = isReasonOf(error, context);
    trace.end(isCancelled ? "cancelled" : statusOf(error));
    trace.note("error", codeOf(error));
    if (isCancelled || error instanceof StepError) throw error;
    throw error instanceof MillraceError ? StepError.of(step.name, error) : error;
  }
}

/** Code of what was thrown; INTERNAL for what is a bug. */
export function codeOf(error: unknown): ErrorCode {
  return error instanceof MillraceError ? error.code : "INTERNAL";
}

function isReasonOf(error: unknown, { cancellation }: StepContext): boolean {
  return cancellation?.isCancelled === true && error === cancellation.reason;
}

function statusOf(error: unknown): Exclude<StepStatus, "running" | "skipped"> {
  const code = codeOf(error);
  if (code === "DEADLINE_EXCEEDED") return "timeout";
  return code === "CANCELLED" ? "cancelled" : "failed";
}

function tooLate(): MillraceError {
  return MillraceError.withoutStack(
    "DEADLINE_EXCEEDED",
    "Cannot predict: the deadline had passed before it began",
  );
}
