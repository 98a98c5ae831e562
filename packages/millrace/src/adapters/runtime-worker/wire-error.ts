import { inspect } from "node:util";
import { MillraceError, type ErrorCode, type Problem } from "../../core/errors.ts";

/** An error as plain data: structured cloning would leave of a MillraceError only its message. */
export interface WireError {
  /** Undefined for what is not a MillraceError: a defect. */
  readonly code: ErrorCode | undefined;
  readonly message: string;
  readonly stack: string | undefined;
  readonly problems: readonly Problem[];
  readonly reason: string | undefined;
  readonly retryAfterSeconds: number | undefined;
  /** Text of the cause. */
  readonly cause: string | undefined;
}

export function toWireError(error: unknown): WireError {
  const { message, stack, cause } = error instanceof Error ? error : new Error(inspect(error));
  const facts = error instanceof MillraceError ? error : undefined;
  return {
    code: facts?.code,
    message,
    stack,
    problems: facts?.problems ?? [],
    reason: facts?.reason,
    retryAfterSeconds: facts?.retryAfterSeconds,
    cause: cause === undefined || cause instanceof Error ? cause?.message : inspect(cause),
  };
}

/** @returns the same error on this side, with the stack it had on the other. */
export function fromWireError(wire: WireError): Error {
  const cause = wire.cause === undefined ? undefined : new Error(wire.cause);
  const error =
    wire.code === undefined
      ? new Error(wire.message, { cause })
      : new MillraceError(wire.code, wire.message, {
          problems: wire.problems,
          cause,
          ...(wire.reason !== undefined && { reason: wire.reason }),
          ...(wire.retryAfterSeconds !== undefined && {
            retryAfterSeconds: wire.retryAfterSeconds,
          }),
        });
  if (wire.stack !== undefined) error.stack = wire.stack;
  return error;
}
