import type { DropReason } from "../core/batch/batch.ts";
import { MillraceError } from "../core/errors.ts";

/** What the scheduler decided about a request it does not answer, and for whom. */
export interface RefusalFacts {
  readonly model: string;
  readonly reason: DropReason;
  readonly retryAfterMs: number;
  /** Rows that wait for the model. */
  readonly waitingRows: number;
  /** What the model threw, for `model_failed`. */
  readonly cause: unknown;
}

/** @returns what the caller of a request hears that is not predicted. */
export function refusalError(facts: RefusalFacts): unknown {
  const { model, reason, waitingRows } = facts;
  switch (reason) {
    case "model_failed":
      return facts.cause;
    case "expired":
      return MillraceError.withoutStack(
        "DEADLINE_EXCEEDED",
        "Cannot predict: the deadline passed before the model had answered",
      );
    case "deadline_too_short":
      return MillraceError.withoutStack(
        "DEADLINE_EXCEEDED",
        `Cannot predict: model "${model}" takes longer than the time that is left`,
      );
    case "cancelled":
      return MillraceError.withoutStack("CANCELLED", "Cannot predict: the client has gone");
    case "executor_lost":
      return MillraceError.withoutStack(
        "EXECUTOR_LOST",
        `Cannot predict: the thread of model "${model}" is lost and is being started again`,
        { reason: "executor_lost", retryAfterSeconds: retryAfterSeconds(facts) },
      );
    case "predicted_deadline":
    case "early_drop":
      return overloaded(
        facts,
        "predicted_deadline",
        `model "${model}" could not answer in time, its queue is too long`,
      );
    case "queue_rows":
      return overloaded(
        facts,
        "queue",
        `${waitingRows} rows wait for model "${model}", its limit is reached`,
      );
    case "queue_bytes":
      return overloaded(facts, "memory", `the requests for model "${model}" fill its memory`);
    case "memory":
      return overloaded(
        facts,
        "memory",
        "the requests for all models fill the memory of the process",
      );
    case "shutdown":
      return overloaded(facts, "shutdown", "the server is shutting down");
  }
}

function overloaded(facts: RefusalFacts, reason: string, state: string): MillraceError {
  return MillraceError.withoutStack("OVERLOADED", `Cannot predict: ${state}`, {
    reason,
    retryAfterSeconds: retryAfterSeconds(facts),
  });
}

/** Whole seconds, at least 1: what `Retry-After` can say. */
function retryAfterSeconds({ retryAfterMs }: RefusalFacts): number {
  return Math.max(1, Math.ceil(retryAfterMs / 1000));
}
