import type { JsonValue } from "../json.ts";
import { GLOB_TEXT_LENGTH_MAX, matchesGlob } from "./glob.ts";

/** A JSON value that is no list and no object. */
export type Scalar = string | number | boolean | null;

/** What a value must be. Headers, queries, cookies and the like are texts, so they equal texts only. */
export type ValueTest =
  | { readonly kind: "equals"; readonly value: Scalar }
  | { readonly kind: "oneOf"; readonly values: readonly Scalar[] }
  | { readonly kind: "prefix"; readonly prefix: string }
  /** A pattern with `*` and `?`: see `matchesGlob`. */
  | { readonly kind: "matches"; readonly glob: string }
  | { readonly kind: "exists"; readonly isThere: boolean }
  /** For numbers, and texts that read as one. */
  | { readonly kind: NumberTestKind; readonly bound: number };

export type NumberTestKind = "atLeast" | "atMost" | "above" | "below";

/**
 * What a predicate came to. Only `true` is true: `missing` (no such attribute) and `invalid` (a value that the test
 * cannot be made on, such as a word where a number should be) are false that can be told apart.
 */
export type Outcome = "true" | "false" | "missing" | "invalid";

/** Makes the test on a value that is there, or undefined. Makes no text. */
export function testValue(test: ValueTest, value: JsonValue | undefined): Outcome {
  if (test.kind === "exists") return outcomeOf((value !== undefined) === test.isThere);
  if (value === undefined) return "missing";
  switch (test.kind) {
    case "equals":
      return outcomeOf(isEqual(value, test.value));
    case "oneOf":
      return outcomeOf(isOneOf(value, test.values));
    case "prefix":
      return typeof value === "string" ? outcomeOf(value.startsWith(test.prefix)) : "invalid";
    case "matches": {
      const isMatchable = typeof value === "string" && value.length <= GLOB_TEXT_LENGTH_MAX;
      return isMatchable ? outcomeOf(matchesGlob(value, test.glob)) : "invalid";
    }
    default: {
      const number = numberOf(value);
      return number === undefined ? "invalid" : outcomeOf(isInBound(test.kind, number, test.bound));
    }
  }
}

/** The outcome of a test that could be made. */
export function outcomeOf(isTrue: boolean): Outcome {
  return isTrue ? "true" : "false";
}

/** The number a text reads as, all of it; undefined when it is not a decimal number. */
export function parseNumber(text: string): number | undefined {
  // Bounded because the pattern may look at a digit twice.
  if (text.length > NUMBER_LENGTH_MAX || !NUMBER_PATTERN.test(text)) return undefined;
  const number = Number(text);
  return Number.isFinite(number) ? number : undefined;
}

const NUMBER_LENGTH_MAX = 32;

const NUMBER_PATTERN = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

function isOneOf(value: JsonValue, values: readonly Scalar[]): boolean {
  for (const wanted of values) if (isEqual(value, wanted)) return true;
  return false;
}

function isEqual(value: JsonValue, wanted: Scalar): boolean {
  if (value === wanted) return true;
  // Whole numbers beyond 2^53 are kept exact, and a configured one is the double that was written.
  return typeof value === "bigint" && typeof wanted === "number" && Number.isInteger(wanted)
    ? value === BigInt(wanted)
    : false;
}

function numberOf(value: JsonValue): number | bigint | undefined {
  if (typeof value === "string") return parseNumber(value);
  return typeof value === "number" || typeof value === "bigint" ? value : undefined;
}

function isInBound(kind: NumberTestKind, value: number | bigint, bound: number): boolean {
  switch (kind) {
    case "atLeast":
      return value >= bound;
    case "atMost":
      return value <= bound;
    case "above":
      return value > bound;
    case "below":
      return value < bound;
  }
}
