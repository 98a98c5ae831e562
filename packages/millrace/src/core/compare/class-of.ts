import type { JsonValue } from "../json.ts";
import { scoresOf } from "./scores-of.ts";

/**
 * Class that a prediction names without labels: `class 2` of the largest score, of a whole number or a boolean; a text is
 * its own class. Undefined where it names none: one score, several outputs.
 */
export function classOf(value: JsonValue): string | undefined {
  if (value === null) return "none";
  if (Array.isArray(value)) {
    const scores = scoresOf(value);
    if (scores !== undefined) return `class ${leader(scores)}`;
    return value.length === 1 ? classOf(value[0] as JsonValue) : undefined;
  }
  switch (typeof value) {
    case "string":
      return value;
    case "boolean":
    case "bigint":
      return `class ${Number(value)}`;
    case "number":
      return Number.isInteger(value) ? `class ${value}` : undefined;
    default:
      return undefined;
  }
}

/** Index of the largest; the first one where several are equal. */
function leader(scores: readonly number[]): number {
  let index = 0;
  for (let i = 1; i < scores.length; i++) {
    if ((scores[i] as number) > (scores[index] as number)) index = i;
  }
  return index;
}
