import type { JsonValue } from "../json.ts";

/** What becomes of a field before it is logged. */
export type Redaction =
  | { readonly kind: "drop" | "mask" | "hmac" }
  /** Lower ends of the buckets, ascending; or their width. */
  | { readonly kind: "bucket"; readonly by: number | readonly number[] };

/** Keyed hash of a text: tells equal from different, and no more. */
export type KeyedHash = (text: string) => string;

/** Stands for every value of a masked field. */
export const MASK = "***";

/** @returns undefined for what is left out; the mask for a bucket of what is no number. */
export function redactValue(
  value: JsonValue,
  redaction: Redaction,
  hash: KeyedHash,
): JsonValue | undefined {
  switch (redaction.kind) {
    case "drop":
      return undefined;
    case "mask":
      return MASK;
    case "hmac":
      return hash(textOf(value));
    case "bucket": {
      const lower = bucketOf(numberOf(value), redaction.by);
      return Number.isFinite(lower) ? lower : MASK;
    }
  }
}

/**
 * The lower end of the bucket a number is in.
 * @returns −∞ below the first bucket; NaN for NaN.
 */
export function bucketOf(value: number, by: number | readonly number[]): number {
  if (typeof by === "number") return Math.floor(value / by) * by;
  if (Number.isNaN(value)) return NaN;
  return by.findLast((lower) => lower <= value) ?? -Infinity;
}

/** A text as it is, so that its hash is that of the same text elsewhere. */
export function textOf(value: JsonValue): string {
  if (typeof value === "string") return value;
  if (typeof value === "bigint") return value.toString();
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === "bigint" ? part.toString() : part,
  );
}

function numberOf(value: JsonValue): number {
  if (typeof value === "number" || typeof value === "bigint") return Number(value);
  return typeof value === "string" && value.trim() !== "" ? Number(value) : NaN;
}
