import { writeExactJson } from "../exact-json.ts";
import type { JsonValue } from "../json.ts";
import type { Comparator } from "./comparison.ts";
import { isMissing } from "./missing-number.ts";
import { at, valuePairs, type ValuePair } from "./value-pairs.ts";

export interface Tolerance {
  /** In the unit of the prediction; at least 0. */
  readonly absolute: number;
  /** Share of the reference; at least 0. */
  readonly relative: number;
}

/**
 * Agreed when every number is near its reference: |other − reference| ≤ absolute + relative × |reference|, as numpy's
 * `allclose` has it. Missing numbers agree with each other, texts and booleans when they are the same. Its distance is
 * the largest |other − reference|.
 */
export function compareTolerance(tolerance: Tolerance): Comparator {
  return (reference, other) => {
    const pairs = valuePairs(reference.value, other.value);
    if ("mismatch" in pairs) return { isAgreed: false, detail: pairs.mismatch };
    let distance = 0;
    let detail: string | undefined;
    for (const pair of pairs) {
      const difference = differenceOf(pair);
      if (difference === undefined) detail ??= describe(pair);
      else {
        // NaN where both are the same infinity.
        if (difference > distance) distance = difference;
        if (difference > allowed(pair.reference, tolerance)) detail ??= describe(pair, difference);
      }
    }
    return detail === undefined
      ? { isAgreed: true, distance }
      : { isAgreed: false, distance, detail };
  };
}

/** @returns undefined for what differs without a measure: a number and none, two texts. */
function differenceOf({ reference, other }: ValuePair): number | undefined {
  if (isMissing(reference) || isMissing(other)) {
    return isMissing(reference) && isMissing(other) ? 0 : undefined;
  }
  if (isNumber(reference) && isNumber(other)) return Math.abs(Number(other) - Number(reference));
  return reference === other ? 0 : undefined;
}

function allowed(reference: JsonValue, { absolute, relative }: Tolerance): number {
  return absolute + (isNumber(reference) ? relative * Math.abs(Number(reference)) : 0);
}

function isNumber(value: JsonValue): value is number | bigint {
  return typeof value === "number" || typeof value === "bigint";
}

function describe({ reference, other, place }: ValuePair, difference?: number): string {
  const text = `found ${writeExactJson(other)}, expected ${writeExactJson(reference)}`;
  return at(place, difference === undefined ? text : `${text}: ${difference.toPrecision(3)} apart`);
}
