import type { Comparison } from "./comparison.ts";

/**
 * What a comparison of the user gives: `true`, `false` or `{ isAgreed, distance?, detail? }`.
 * @throws Error for anything else.
 */
export function readComparison(given: unknown): Comparison {
  if (typeof given === "boolean") return { isAgreed: given };
  if (typeof given === "object" && given !== null && "isAgreed" in given) {
    const { isAgreed, distance, detail } = given as Readonly<Record<string, unknown>>;
    return {
      isAgreed: isAgreed === true,
      ...(typeof distance === "number" ? { distance } : {}),
      ...(typeof detail === "string" ? { detail } : {}),
    };
  }
  throw new Error(`it gave ${typeof given}, expected a boolean or { isAgreed }`);
}
