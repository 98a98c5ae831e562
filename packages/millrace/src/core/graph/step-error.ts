import { MillraceError } from "../errors.ts";

/** Why a step failed: code, reason and problems as they were, and a message that names the step. */
export class StepError extends MillraceError {
  /** Name of the innermost step that failed. */
  readonly step: string;

  private constructor(step: string, cause: MillraceError) {
    const { problems, reason, retryAfterSeconds } = cause;
    super(cause.code, `Cannot run step "${step}": ${stateOf(cause.message)}`, {
      problems,
      ...(reason !== undefined && { reason }),
      ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
      cause,
    });
    this.step = step;
  }

  /** Without a stack of its own, which costs under load: the cause has one where it matters. */
  static of(step: string, cause: MillraceError): StepError {
    const stackTraceLimit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    try {
      return new StepError(step, cause);
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
    }
  }
}

const PREDICTING = "Cannot predict: ";

/** What comes after the colon: that the step cannot predict has been said by then. */
function stateOf(message: string): string {
  if (message.startsWith(PREDICTING)) return message.slice(PREDICTING.length);
  return message.startsWith("Cannot ") ? `c${message.slice(1)}` : message;
}
