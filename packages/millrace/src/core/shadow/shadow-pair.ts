/** Why a request has no copy. */
export type SkipReason =
  /** Too many copies wait already, or hold too much memory; or what gets them is overloaded. */
  | "queue"
  /** The shadow keeps failing and is left alone for a while. */
  | "breaker"
  /** The request is too large. */
  | "body"
  /** The copy waited for longer than it may take. */
  | "deadline"
  /** The shadow is stopped, by a verdict or a person. */
  | "excluded"
  /** What gets the copies is not ready, or the process ends. */
  | "inactive";

export const SKIP_REASONS: readonly SkipReason[] = [
  "queue",
  "breaker",
  "body",
  "deadline",
  "excluded",
  "inactive",
];

/** What a request and its copy came to. */
export type PairResult = "agreed" | "disagreed" | "shadow_error" | "primary_error" | "both_error";

export const PAIR_RESULTS: readonly PairResult[] = [
  "agreed",
  "disagreed",
  "shadow_error",
  "primary_error",
  "both_error",
];

/** @param isAgreed undefined unless both answered. */
export function pairResult(
  isPrimaryOk: boolean,
  isShadowOk: boolean,
  isAgreed: boolean | undefined,
): PairResult {
  if (!isPrimaryOk) return isShadowOk ? "primary_error" : "both_error";
  if (!isShadowOk) return "shadow_error";
  return isAgreed === true ? "agreed" : "disagreed";
}
