import type { ErrorCode } from "./errors.ts";

/**
 * Errors of a prediction whose texts speak of the server and its limits alone. Those of all others may quote the request:
 * functions, models and other servers write some of them.
 */
export const PLAIN_ERRORS: ReadonlySet<ErrorCode> = new Set([
  "CANCELLED",
  "DEACTIVATED",
  "DEADLINE_EXCEEDED",
  "MODEL_NOT_READY",
  "OVERLOADED",
]);
