import { MillraceError, PROBLEMS_MAX, type Problem } from "../../core/errors.ts";
import { describeEnd, type ThreadEnd } from "./function-thread.ts";
import { errorOf } from "./start-function-thread.ts";
import type { CallFailure, FunctionKind, TensorGroup } from "./thread-messages.ts";

/** Characters of a key or a message that an answer repeats. */
const TEXT_LENGTH_MAX = 200;

const TITLES: Readonly<Record<FunctionKind, string>> = {
  function: "the function",
  load: "the load function",
  combine: "the combine function",
  compare: "the comparison",
};

/** Why a call failed, as its caller hears it; what was thrown is the cause, which is for the log. */
export function callError(
  kind: FunctionKind,
  failure: CallFailure,
  groups: readonly TensorGroup[],
): MillraceError {
  const title = TITLES[kind];
  switch (failure.kind) {
    case "threw":
      return failed(`${title} threw an error`, "threw", errorOf(failure.thrown));
    case "output":
      return failed(`${title} ${failure.state}`, "output");
    case "input":
      return invalidInput(failure);
    case "missing":
      return notFound(failure.rows, groups);
  }
}

/** The step's own limit: not the caller's deadline, so the same request would fail again. */
export function tookTooLong(kind: FunctionKind, timeoutMs: number): MillraceError {
  return failed(
    `${TITLES[kind]} took longer than ${timeoutMs} ms, its thread was ended`,
    "timeout",
  );
}

export function threadLost(kind: FunctionKind, end: ThreadEnd): MillraceError {
  const reason = end.isOutOfMemory ? "memory" : "crash";
  return failed(`${TITLES[kind]} failed: its thread ${describeEnd(end)}`, reason, end.error);
}

function failed(state: string, reason: string, cause?: unknown): MillraceError {
  return MillraceError.withoutStack("FUNCTION_FAILED", `Cannot predict: ${state}`, {
    reason,
    cause,
  });
}

function invalidInput({ message, input, row }: CallFailure & { kind: "input" }): MillraceError {
  const text = cut(message);
  const location = [
    "body",
    ...(input === undefined ? [] : [input]),
    ...(row === undefined ? [] : [row]),
  ];
  const problems: Problem[] = [{ location, message: text, type: "value" }];
  return MillraceError.withoutStack("INVALID_TENSOR", `Cannot predict: ${text}`, { problems });
}

function notFound(rows: readonly number[], groups: readonly TensorGroup[]): MillraceError {
  const keys = groups[0]?.tensors[0];
  const name = keys?.name ?? "";
  const keyOf = (row: number): string => cut(String(keys?.data[row]));
  const problems = rows.slice(0, PROBLEMS_MAX).map((row): Problem => ({
    location: ["body", name, row],
    message: `no data for "${keyOf(row)}"`,
    type: "missing",
  }));
  const more = rows.length > 1 ? ` (and ${rows.length - 1} more)` : "";
  return MillraceError.withoutStack(
    "DATA_NOT_FOUND",
    `Cannot predict: no data for ${name} "${keyOf(rows[0] ?? 0)}"${more}`,
    { problems },
  );
}

function cut(text: string): string {
  return text.length > TEXT_LENGTH_MAX ? `${text.slice(0, TEXT_LENGTH_MAX)}…` : text;
}
