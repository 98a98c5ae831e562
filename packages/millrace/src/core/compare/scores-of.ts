import type { JsonValue } from "../json.ts";
import { isMissing } from "./missing-number.ts";

/**
 * The scores of a prediction by class, flat: further axes count as classes. What is missing is the smallest.
 * @returns undefined for what is no list of several numbers.
 */
export function scoresOf(value: JsonValue): readonly number[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const scores: number[] = [];
  return collect(value as readonly JsonValue[], scores) && scores.length > 1 ? scores : undefined;
}

/** @returns false when something else than numbers is among them. */
function collect(values: readonly JsonValue[], scores: number[]): boolean {
  return values.every((value) => {
    if (Array.isArray(value)) return collect(value as readonly JsonValue[], scores);
    if (isMissing(value)) scores.push(-Infinity);
    else if (typeof value === "number" || typeof value === "bigint") scores.push(Number(value));
    else return false;
    return true;
  });
}
